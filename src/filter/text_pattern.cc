#include "filter/text_pattern.h"

#include <cstring>
#include <utility>

#include "record/fold.h"

namespace dendro {

std::size_t find_literal(std::string_view haystack, std::string_view needle, std::size_t first) {
  if (needle.size() > haystack.size() || first > haystack.size() - needle.size()) return std::string_view::npos;
  if (needle.empty()) return first;
  const void* hit = ::memmem(haystack.data() + first, haystack.size() - first, needle.data(), needle.size());
  if (hit == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(hit) - haystack.data());
}

bool TextPattern::needs_start_boundary() const {
  if (open_start || text.empty()) return false;
  return is_word_char(folds ? folded(text).front() : text.front());
}

bool TextPattern::needs_end_boundary() const {
  if (open_end || text.empty()) return false;
  return is_word_char(folds ? folded(text).back() : text.back());
}

bool TextPattern::matches(std::string_view value) const {
  return PatternTest(*this).matches(value);
}

PatternTest::PatternTest(TextPattern pattern)
    : pattern_(std::move(pattern)),
      needle_(pattern_.folds ? std::string_view(pattern_.text) : std::string_view()),
      start_boundary_(pattern_.needs_start_boundary()),
      end_boundary_(pattern_.needs_end_boundary()) {}

std::size_t PatternTest::match_end(std::string_view value, std::size_t first) const {
  std::size_t bytes = pattern_.text.size();
  const auto find = [&](std::size_t from) {
    return pattern_.folds ? find_folded(value, needle_, from, &bytes) : find_literal(value, pattern_.text, from);
  };
  for (std::size_t at = find(first); at != std::string_view::npos; at = find(at + 1)) {
    const std::size_t end = at + bytes;
    const bool starts = !start_boundary_ || at == 0 || !is_word_char(value[at - 1]);
    if (starts && (!end_boundary_ || end == value.size() || !is_word_char(value[end]))) return end;
  }
  return std::string_view::npos;
}

}  // namespace dendro
