#include "server/peer.h"

#include "server/http_text.h"

namespace dendro {

Wire wire_of(const ServerOptions& options, const Peer& peer, const HttpHeaders& headers) {
  bool is_https = peer.is_tls;
  if (options.trusted_proxies.contains(peer.address)) {
    if (const auto said = headers.find("X-Forwarded-Proto")) is_https = equals_folding_case(*said, "https");
  }
  if (is_https) return Wire::https;
  return peer.is_loopback ? Wire::loopback : Wire::readable;
}

}  // namespace dendro
