#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// RFC 4648 section 6 in lower case, without padding: letters a-z and digits 2-7 are one word to every search, whatever
/// its case.
void append_base32(std::string& out, std::string_view bytes);
/// Nothing unless `text` is canonical: lower case, no padding, no spare bits.
std::optional<std::string> decode_base32(std::string_view text);

}  // namespace dendro
