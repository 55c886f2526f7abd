#pragma once

#include <string_view>

namespace dendro {

/// What a User-Agent says of itself. Borrowed from the text, or constant; empty where nothing is known.
struct UserAgent {
  std::string_view browser;  ///< Chrome, Firefox, Safari, Edge, Opera, Samsung Internet, .. or a program: curl
  std::string_view version;  ///< of the browser: 126.0
  std::string_view os;       ///< Windows, macOS, Linux, Android, iOS, ChromeOS
  std::string_view device;   ///< bot, mobile, tablet, desktop; empty for programs
};
/// A few dozen rules in order, not a database: the common browsers, crawlers and clients.
UserAgent parse_user_agent(std::string_view text);

}  // namespace dendro
