#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// [A-Za-z0-9_]: ASCII only (query-language.md 5).
constexpr bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// A word, phrase, prefix, suffix or substring: `text` with a word boundary at each end that has no star; an end that
/// is not a word character needs none.
struct TextPattern {
  std::string text;
  bool open_start = false;  ///< `*x`
  bool open_end = false;    ///< `x*`
  friend bool operator==(const TextPattern&, const TextPattern&) = default;

  bool needs_start_boundary() const { return !open_start && !text.empty() && is_word_char(text.front()); }
  bool needs_end_boundary() const { return !open_end && !text.empty() && is_word_char(text.back()); }
  /// True if the pattern occurs in `value`.
  bool matches(std::string_view value) const;
};

/// Place of `needle` in `haystack` at or after `first`; npos if there is none. memmem.
std::size_t find_literal(std::string_view haystack, std::string_view needle, std::size_t first = 0);

}  // namespace dendro
