#pragma once

#include <string>
#include <string_view>

#include "server/http_message.h"
#include "server/peer_networks.h"

namespace dendro {

/// The address a request is from: that of the connection or, where it came by trusted proxies, the last one of
/// X-Forwarded-For that is none of them. What stands further left anybody could have written. Always an IP literal if
/// the connection's is one.
std::string client_address(const PeerNetworks& trusted_proxies, std::string_view peer, const HttpHeaders& headers);

/// What one client holds of an address: all of IPv4, the first 64 bits of IPv6. For counting, not for showing.
std::string client_network(std::string_view address);

}  // namespace dendro
