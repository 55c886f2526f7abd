#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filter/predicate.h"
#include "filter/regex.h"
#include "services/audit/audit_log.h"

namespace dendro {

/// The words and phrases of `search` (five-systems.md 4.4), all of which a log must have. Immutable; thread-safe; cheap
/// to copy.
///
/// A term stands in a value where its characters do, in any case, and are not the inside of a longer word: a run of
/// letters, digits and marks. Between double quotes blanks belong to the term.
class SearchTerms {
 public:
  SearchTerms() = default;
  /// Nothing, and what is wrong: too many terms, or one too long.
  static std::optional<SearchTerms> parse(std::string_view text, std::string& problem);

  bool empty() const { return terms_.empty(); }
  /// Every term occurs in the message, the resource's type or id, or a value of the metadata.
  bool match(const AuditLog& log) const;
  /// Keeps every log that match() keeps, and others, as stored: what to ask the engine for.
  std::vector<Predicate> prefilter() const;

 private:
  struct Term {
    std::string text;
    std::shared_ptr<const Regex> regex;
    bool occurs_in(const AuditLog& log) const;
  };
  std::vector<Term> terms_;
};

}  // namespace dendro
