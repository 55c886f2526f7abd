#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/profile.h"
#include "server/tls/tls_settings.h"

namespace dendro {

/// Where to listen and as what. The address is an IP literal without brackets.
struct ListenerSpec {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: a free one
  Profile profile = Profile::platform;
  std::optional<TlsSettings> tls = {};  ///< nothing: without TLS

  /// "127.0.0.1:8080", "[::1]:8080".
  std::string address_text() const;
  bool is_loopback() const;
  friend bool operator==(const ListenerSpec&, const ListenerSpec&) = default;
};

/// "ADDR:PORT[=PROFILE][+tls|+plain]": ADDR is an IPv4 literal, an IPv6 literal in brackets, or `localhost`
/// (= 127.0.0.1). Or a block `[[server.listen]]` as a JSON object: `address`, `profile`, `tls` (a truth value) and the
/// members of `[server.tls]`, which hold for this listener instead.
///
/// With a certificate a listener speaks TLS unless it says that it does not; `redirect` never does.
/// @param tls  `[server.tls]`.
/// Errors: invalid_argument; the text names what is wrong and, for a profile, all of them.
Result<ListenerSpec> parse_listener_spec(std::string_view text, const TlsSettings& tls = {});
/// Several of them. Errors: as above, and invalid_argument for an address and port named twice (port 0 never is).
Result<std::vector<ListenerSpec>> parse_listener_specs(const std::vector<std::string>& texts,
                                                       const TlsSettings& tls = {});

/// "listening on 127.0.0.1:41234 (platform)", "... (platform, tls)".
std::string listening_text(const ListenerSpec& bound);

struct ListenerSafety {
  bool has_auth = false;             ///< some credential is configured (five-systems.md 1.4)
  bool insecure = false;             ///< --insecure
  std::string_view public_url = {};  ///< where `redirect` leads to if no listener here speaks TLS
};
/// Errors: invalid_argument for a listener off loopback that asks nobody who they are, and for `redirect` without a
/// place to lead to; unimplemented for a profile that is known and not built (exit 2, by the app).
Status check_listeners(const std::vector<ListenerSpec>& listeners, ListenerSafety safety);

}  // namespace dendro
