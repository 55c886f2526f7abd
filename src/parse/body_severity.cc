#include "parse/body_severity.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace dendro {
namespace {

constexpr std::size_t kLookedAtBytes = 64;
constexpr std::size_t kShortestWord = 3;
constexpr std::size_t kLongestWord = 11;

enum class BodyByte : unsigned char { other, upper, lower, blocker };

/// Bytes that, next to a run of letters, make it part of a name or path rather than a word.
constexpr std::array<BodyByte, 256> kBodyBytes = [] {
  std::array<BodyByte, 256> table{};
  for (std::size_t c = 'A'; c <= 'Z'; ++c) table[c] = BodyByte::upper;
  for (std::size_t c = 'a'; c <= 'z'; ++c) table[c] = BodyByte::lower;
  for (std::size_t c = '0'; c <= '9'; ++c) table[c] = BodyByte::blocker;
  for (std::size_t c = 0x80; c <= 0xFF; ++c) table[c] = BodyByte::blocker;
  for (const char c : {'_', '-', '/', '\\', '.', '@', '$', '%', '&', '?', '+', '~'}) {
    table[static_cast<unsigned char>(c)] = BodyByte::blocker;
  }
  return table;
}();

BodyByte body_byte(char c) {
  return kBodyBytes[static_cast<unsigned char>(c)];
}
bool is_letter(char c) {
  return body_byte(c) == BodyByte::upper || body_byte(c) == BodyByte::lower;
}

}  // namespace

SeverityNumber severity_in_body(std::string_view body) {
  const std::size_t looked_at = std::min(body.size(), kLookedAtBytes);
  for (std::size_t first = 0; first < looked_at;) {
    if (!is_letter(body[first])) {
      ++first;
      continue;
    }
    std::size_t last = first;
    bool all_upper = true;
    while (last < body.size() && is_letter(body[last])) {
      all_upper = all_upper && body_byte(body[last]) == BodyByte::upper;
      ++last;
    }
    const bool fits = last - first >= kShortestWord && last - first <= kLongestWord;
    const bool in_brackets = first > 0 && body[first - 1] == '[' && last < body.size() && body[last] == ']';
    const bool is_whole = (first == 0 || body_byte(body[first - 1]) != BodyByte::blocker) &&
                          (last == body.size() || body_byte(body[last]) != BodyByte::blocker);
    if (fits && (in_brackets || (all_upper && is_whole))) {
      if (const auto number = severity_of_word(body.substr(first, last - first))) return *number;
    }
    first = last;
  }
  return kSeverityUnset;
}

}  // namespace dendro
