#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/limits.h"

namespace dendro {

/// Settings of the HTTP server (`[server]` in TOML).
struct ServerOptions {
  ServerLimits limits;
  std::size_t loop_threads = 0;  ///< 0: one a core
  bool has_auth = false;         ///< false = open mode: only tenant `default`, Host is judged on platform listeners
  std::vector<std::string> allowed_hosts;  ///< `server.allowed_hosts`: names an open platform listener also answers to
  std::string public_url;     ///< `server.public_url`, "https://logs.example.org": same origin as ourselves; or empty
  std::string origin_verify;  ///< `server.origin_verify`: secret every X-Origin-Verify must equal; empty: none
};

}  // namespace dendro
