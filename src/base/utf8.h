#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dendro {

/// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). Vectorised.
bool is_valid_utf8(std::string_view text);

/// What stands at the front of a text: a code point, or the first byte or bytes of something that is no UTF-8.
struct DecodedUtf8 {
  char32_t code_point = 0xFFFD;
  std::size_t bytes = 1;  ///< taken: of the code point, or of the maximal ill-formed part
  bool valid = false;
};
/// Decodes the front of `text`, which must not be empty.
DecodedUtf8 decode_utf8(std::string_view text);

/// Number of code points of valid UTF-8 (= bytes that do not continue one).
std::size_t count_code_points(std::string_view text);

/// Appends `code_point` (at most U+10FFFF) as UTF-8.
void append_utf8(std::string& out, char32_t code_point);

/// Appends `bytes` with each maximal ill-formed part replaced by U+FFFD (Unicode 15, 3.9, "best practice").
void append_utf8_lossy(std::string& out, std::string_view bytes);

/// Without leading and trailing Unicode white space (as Python's str.strip); `text` must be valid UTF-8. Borrowed.
std::string_view trim_unicode_space(std::string_view text);

}  // namespace dendro
