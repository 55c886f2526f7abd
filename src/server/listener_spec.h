#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/profile.h"

namespace dendro {

/// Where to listen and as what. The address is an IP literal without brackets.
struct ListenerSpec {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: a free one
  Profile profile = Profile::platform;

  /// "127.0.0.1:8080", "[::1]:8080".
  std::string address_text() const;
  bool is_loopback() const;
  friend bool operator==(const ListenerSpec&, const ListenerSpec&) = default;
};

/// "ADDR:PORT[=PROFILE]": ADDR is an IPv4 literal, an IPv6 literal in brackets, or `localhost` (= 127.0.0.1).
/// Errors: invalid_argument; the text names what is wrong and, for a profile, all of them.
Result<ListenerSpec> parse_listener_spec(std::string_view text);
/// Several of them. Errors: as above, and invalid_argument for an address and port named twice (port 0 never is).
Result<std::vector<ListenerSpec>> parse_listener_specs(const std::vector<std::string>& texts);

/// "listening on 127.0.0.1:41234 (platform)".
std::string listening_text(const ListenerSpec& bound);

struct ListenerSafety {
  bool has_auth = false;  ///< some credential is configured (five-systems.md 1.4)
  bool insecure = false;  ///< --insecure
};
/// Errors: invalid_argument for a listener off loopback that asks nobody who they are; unimplemented for a profile that
/// is known and not built (exit 2, by the app).
Status check_listeners(const std::vector<ListenerSpec>& listeners, ListenerSafety safety);

}  // namespace dendro
