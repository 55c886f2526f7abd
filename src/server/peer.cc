#include "server/peer.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

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

std::string place_of_address(std::string_view address) {
  const std::string text(address);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> place{};
  inet_ntop(AF_INET6, bytes.data(), place.data(), place.size());
  return place.data();
}

}  // namespace dendro
