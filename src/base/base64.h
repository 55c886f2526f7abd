#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// RFC 4648 section 4, with padding.
void append_base64(std::string& out, std::string_view bytes);
/// Nothing unless `text` is canonical base64 with padding.
std::optional<std::string> decode_base64(std::string_view text);

/// RFC 4648 section 5, without padding, as tokens use it.
void append_base64url(std::string& out, std::string_view bytes);
/// Nothing unless `text` is canonical base64url without padding: no blank, no "=", no spare bits.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace dendro
