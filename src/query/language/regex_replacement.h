#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "filter/regex.h"

namespace dendro {

/// Every match of an expression replaced: `$1`, `${1}`, `${name}` stand for its groups, `$0` for the match, `$$` for a
/// dollar. Immutable; thread-safe.
class RegexReplacement {
 public:
  /// Errors: invalid_argument (a group that the expression lacks, a lone `$`).
  static Result<RegexReplacement> make(std::shared_ptr<const Regex> regex, std::string_view replacement);

  /// Appends `value` with its matches replaced; true if there was one. Matches do not overlap.
  bool append(std::string& out, std::string_view value) const;

 private:
  struct Part {
    std::string literal;
    std::size_t group = 0;
    bool has_group = false;  ///< behind the literal
  };
  std::shared_ptr<const Regex> regex_;
  std::vector<Part> parts_;
};

}  // namespace dendro
