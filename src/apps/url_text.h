#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/url.h"

namespace dendro {

/// A server's base URL as people type it, without a slash at the end: "127.0.0.1:8080" gets "http://".
/// Errors: invalid_argument (another scheme, a query, a user name, no host).
Result<std::string> normalised_server_url(std::string_view text);

inline constexpr std::string_view kDefaultServerUrl = "http://127.0.0.1:8080";

}  // namespace dendro
