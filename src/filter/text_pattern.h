#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "filter/folded_search.h"

namespace dendro {

/// [A-Za-z0-9_]: ASCII only (query-language.md 5).
constexpr bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// A word, phrase, prefix, suffix or substring: `text` with a word boundary at each end that has no star; an end that
/// is not a word character needs none. A boundary is a matter of the bytes that really stand beside the match.
struct TextPattern {
  std::string text;         ///< as written
  bool open_start = false;  ///< `*x`
  bool open_end = false;    ///< `x*`
  bool folds = false;       ///< `i(x)`: found whatever its case (record/fold.h); its ends are those of the folded text
  friend bool operator==(const TextPattern&, const TextPattern&) = default;

  bool needs_start_boundary() const;
  bool needs_end_boundary() const;
  /// True if the pattern occurs in `value`. Folds `text` each time where `folds`: for many values use PatternTest.
  bool matches(std::string_view value) const;
};

/// A pattern ready to be asked about many values. Immutable; thread-safe; borrows nothing.
class PatternTest {
 public:
  explicit PatternTest(TextPattern pattern);

  const TextPattern& pattern() const { return pattern_; }
  /// Of the folded text; empty where the pattern does not fold.
  const FoldedNeedle& folded_needle() const { return needle_; }
  bool matches(std::string_view value) const { return match_end(value, 0) != std::string_view::npos; }
  /// Where the first occurrence that begins at or after `first` ends; npos if there is none. The empty pattern occurs
  /// at `first`.
  std::size_t match_end(std::string_view value, std::size_t first) const;

 private:
  TextPattern pattern_;
  FoldedNeedle needle_;
  bool start_boundary_ = false;
  bool end_boundary_ = false;
};

/// Place of `needle` in `haystack` at or after `first`; npos if there is none. memmem.
std::size_t find_literal(std::string_view haystack, std::string_view needle, std::size_t first = 0);

}  // namespace dendro
