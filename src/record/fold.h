#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dendro {

// The one case folding of the product (query-language.md D3): Unicode simple folding, statuses C and S of
// CaseFolding.txt, code point by code point, no locale. U+212A folds to `k`, U+017F to `s`, sharp s stays. Folding may
// change how many bytes a text has, in both directions. Folding twice is folding once. Thread-safe.

/// What `code_point` folds to; itself for most.
char32_t fold_code_point(char32_t code_point);

/// The other code points that fold to `folded` (a few at most, found by a walk over the table).
std::vector<char32_t> code_points_folding_to(char32_t folded);

/// Appends `text` folded. Bytes that are no UTF-8 stay as they are. ASCII runs at memory speed.
void append_folded(std::string& out, std::string_view text);
/// The same as a value.
std::string folded(std::string_view text);

/// Of an ASCII byte; others stay.
constexpr char fold_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace dendro
