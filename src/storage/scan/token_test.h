#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filter/folded_search.h"
#include "filter/regex.h"
#include "storage/segment/template_table.h"

namespace dendro {

/// Where a text must stand in a variable.
enum class TokenPlace : std::uint8_t { anywhere, at_start, at_end, whole };

/// A question about one variable of a template, left over from a question about the whole text. Immutable.
class TokenTest {
 public:
  struct Needs {
    TokenPlace place = TokenPlace::anywhere;
    bool start_boundary = false;  ///< no word character before the match
    bool end_boundary = false;
    bool folds = false;
  };
  TokenTest(std::string_view text, Needs needs);
  /// An expression that avoids delimiters (Regex::avoids).
  explicit TokenTest(std::shared_ptr<const Regex> regex);

  bool matches(std::string_view token) const;
  /// False: no variable of such a slot can match.
  bool may_match(const SlotSummary& slot) const;
  /// Entries of `text` (entry i = [firsts[i], firsts[i+1] - gap)) within [first, last) that match, ascending, appended.
  void find(std::string_view text, const std::uint32_t* firsts, std::uint32_t gap_bytes, std::size_t first,
            std::size_t last, std::vector<std::uint32_t>& entries) const;
  /// Hashes of token_filter.h that a matching variable has put into the filter.
  const std::vector<std::uint64_t>& filter_keys() const { return keys_; }
  friend bool operator==(const TokenTest& a, const TokenTest& b);

 private:
  bool may_match_regex(const SlotSummary& slot) const;
  void find_by_regex(std::string_view text, const std::uint32_t* firsts, std::uint32_t gap_bytes, std::size_t first,
                     std::size_t last, std::vector<std::uint32_t>& entries) const;
  bool matches_at(std::string_view token, std::size_t at, std::size_t bytes) const;
  void derive_keys();

  std::string text_;  ///< folded if the test folds
  Needs needs_;
  ByteClasses classes_ = 0;
  FoldedNeedle folded_;
  std::shared_ptr<const Regex> regex_;
  std::vector<TokenTest> atoms_;  ///< of the expression
  std::vector<std::uint64_t> keys_;
};

}  // namespace dendro
