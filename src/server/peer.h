#pragma once

#include <cstdint>
#include <string_view>

#include "server/http_message.h"
#include "server/options.h"

namespace dendro {

/// Where a request came from.
struct Peer {
  std::string_view address;           ///< of the connection: an IP literal
  bool is_loopback = false;           ///< of the listener
  bool is_tls = false;                ///< of the connection
  std::string_view certificate = {};  ///< names of the TLS client's (ClientCertificate::names); "": it has none
};

/// How a request came: by what a trusted proxy says in X-Forwarded-Proto, else by the connection.
Wire wire_of(const ServerOptions& options, const Peer& peer, const HttpHeaders& headers);

}  // namespace dendro
