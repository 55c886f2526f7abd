#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

enum class CompletionKind : std::uint8_t {
  filter,         ///< where a condition begins: a field, a saved filter, `not`
  value,          ///< of `field`
  pipe,           ///< the first word of a pipe
  stat_function,  ///< of stats and its like
  field,          ///< the name of a field
  saved,          ///< behind `$`
};

/// What could stand where somebody is typing, and what it would replace.
struct CompletionPlace {
  CompletionKind kind = CompletionKind::filter;
  std::string field;                ///< value: whose
  std::string prefix;               ///< what of it is there, without quotes and `$`
  std::size_t first = 0, last = 0;  ///< bytes of the text, half-open: the word the caret is in
};

/// Any text, whole or not; `offset` beyond its end is its end. Pure; never fails: a text that makes no sense gets some
/// place in it.
CompletionPlace find_completion_place(std::string_view text, std::size_t offset);

}  // namespace dendro
