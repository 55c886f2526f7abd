#include "server/client_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/hex.h"
#include "server/http_text.h"

namespace dendro {
std::string client_address(const PeerNetworks& trusted_proxies, std::string_view peer, const HttpHeaders& headers) {
  std::string address(peer);
  std::vector<std::string_view> hops;
  for (const auto& [name, value] : headers.rows()) {
    if (!equals_folding_case(name, "X-Forwarded-For")) continue;
    const std::vector<std::string_view> more = split_list(value);
    hops.insert(hops.end(), more.begin(), more.end());
  }
  for (auto hop = hops.rbegin(); hop != hops.rend() && trusted_proxies.contains(address); ++hop) {
    if (!PeerNetworks::is_address(*hop)) break;  // a proxy that says something else is believed no further
    address = *hop;
  }
  return address;
}

std::string client_network(std::string_view address) {
  constexpr std::size_t kNetworkBytes = 8;
  constexpr std::array<unsigned char, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const std::string text(address);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  const bool is_mapped = std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
  return to_hex(std::span(bytes).first(is_mapped ? bytes.size() : kNetworkBytes));
}

}  // namespace dendro
