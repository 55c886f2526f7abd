#include "filter/text_pattern.h"

#include <cstring>

namespace dendro {

std::size_t find_literal(std::string_view haystack, std::string_view needle, std::size_t first) {
  if (needle.size() > haystack.size() || first > haystack.size() - needle.size()) return std::string_view::npos;
  if (needle.empty()) return first;
  const void* hit = ::memmem(haystack.data() + first, haystack.size() - first, needle.data(), needle.size());
  if (hit == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(hit) - haystack.data());
}

bool TextPattern::matches(std::string_view value) const {
  const bool start_boundary = needs_start_boundary();
  const bool end_boundary = needs_end_boundary();
  for (std::size_t at = find_literal(value, text); at != std::string_view::npos;
       at = find_literal(value, text, at + 1)) {
    const std::size_t end = at + text.size();
    const bool starts = !start_boundary || at == 0 || !is_word_char(value[at - 1]);
    if (starts && (!end_boundary || end == value.size() || !is_word_char(value[end]))) return true;
  }
  return false;
}

}  // namespace dendro
