#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/cors.h"
#include "server/limits.h"
#include "server/peer_networks.h"

namespace dendro {

/// What happens to a credential that came over plain HTTP from another machine (five-systems.md 1.4).
enum class TokensOverHttp : std::uint8_t { refuse, warn };

/// Settings of the HTTP server (`[server]` in TOML).
struct ServerOptions {
  ServerLimits limits;
  std::size_t loop_threads = 0;            ///< 0: one a core
  std::vector<std::string> allowed_hosts;  ///< `server.allowed_hosts`: names an open platform listener also answers to
  std::string public_url;  ///< `server.public_url`, "https://logs.example.org": same origin as ourselves; or empty
  PeerNetworks trusted_proxies;  ///< `server.trusted_proxies`: whose X-Forwarded-Proto is believed
  TokensOverHttp tokens_over_http = TokensOverHttp::refuse;
  CorsOrigins cors_origins;                                 ///< `server.cors_origins`
  std::chrono::seconds hsts{std::chrono::hours(24 * 365)};  ///< `server.hsts`: how long browsers insist on TLS; 0: not
  std::string origin_verify;  ///< `server.origin_verify`: secret every X-Origin-Verify must equal; empty: none
};

}  // namespace dendro
