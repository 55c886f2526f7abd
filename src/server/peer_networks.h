#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// Networks in CIDR notation: `server.trusted_proxies` and the like. IPv4 addresses are held as ::ffff:a.b.c.d, so that
/// a listener of both families sees one form.
class PeerNetworks {
 public:
  /// "10.0.0.0/8", "::1", ...
  /// Errors: invalid_argument (names the one that cannot be read).
  static Result<PeerNetworks> parse(const std::vector<std::string>& texts);
  /// False of what is no IP address.
  bool contains(std::string_view address) const;
  /// True of an IPv4 or IPv6 literal.
  static bool is_address(std::string_view text);
  bool empty() const { return networks_.empty(); }

 private:
  using Bytes = std::array<std::uint8_t, 16>;
  struct Network {
    Bytes first;
    unsigned bits;
  };
  static bool parse_address(std::string_view text, Bytes& bytes, bool& is_v4);
  std::vector<Network> networks_;
};

}  // namespace dendro
