#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

// Text as a template and its variables (docs/formats/segment.md). Substring search over templates rests on:
//   I1 a variable is a whole token: it holds no delimiter and is never empty;
//   I2 whether a token is a variable depends on its own bytes alone;
//   I3 delimiters belong to the template.
// A change of kDelimiters or is_variable is a new splitter version; a segment keeps the version it was written with.

inline constexpr std::uint8_t kSplitterVersion = 1;

/// A token is a maximal run of other bytes.
inline constexpr std::string_view kDelimiters{" \t\r\n,;:=()[]{}<>|\"'/\\&?@#*\0", 27};
bool is_delimiter(char c);

/// Version 1: a token that holds an ASCII digit.
bool is_variable(std::string_view token);

/// Stands for a variable in a template's text. No other digit can stand there, since a token with a digit is a
/// variable.
inline constexpr char kSlotMark = '0';

/// Bytes [first, first + size) of the text that was split.
struct SlotSpan {
  std::uint32_t first = 0;
  std::uint32_t size = 0;
  friend bool operator==(const SlotSpan&, const SlotSpan&) = default;
};

/// The variables of `text` in order into `slots`, whose earlier content goes. AVX2 where the machine has it. The text
/// is at most 4 GiB.
void find_slots(std::string_view text, std::vector<SlotSpan>& slots);
/// The same, behind what `slots` holds already.
void append_slots(std::string_view text, std::vector<SlotSpan>& slots);
/// The same as find_slots byte by byte: what the fast one is tested against.
void find_slots_plain(std::string_view text, std::vector<SlotSpan>& slots);

/// The template's text: `text` with each variable replaced by kSlotMark; into `skeleton`, whose earlier content goes.
void make_skeleton(std::string_view text, std::span<const SlotSpan> slots, std::string& skeleton);
/// True if make_skeleton would give `skeleton`; nothing is built.
bool has_skeleton(std::string_view text, std::span<const SlotSpan> slots, std::string_view skeleton);

}  // namespace dendro
