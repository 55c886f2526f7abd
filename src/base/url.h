#pragma once

#include <string>
#include <string_view>

namespace dendro {

/// Every byte outside A-Z a-z 0-9 - . _ ~ as %XX (RFC 3986).
std::string percent_encoded(std::string_view text);

/// A path of this server, with its query string, that may stand in a Location: "/explore?q=error". It begins with
/// exactly one slash: "//host" and "/\host" lead to other hosts in a browser; blanks, controls and backslashes are not
/// taken either.
bool is_own_path(std::string_view path);

}  // namespace dendro
