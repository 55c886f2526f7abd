#include "server/peer_networks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace dendro {

bool PeerNetworks::parse_address(std::string_view text, Bytes& bytes, bool& is_v4) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string terminated(text);
  bytes = {};
  bytes[10] = bytes[11] = 0xFF;
  is_v4 = inet_pton(AF_INET, terminated.c_str(), bytes.data() + 12) == 1;
  return is_v4 || inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1;
}

bool PeerNetworks::is_address(std::string_view text) {
  Bytes bytes;
  bool is_v4 = false;
  return parse_address(text, bytes, is_v4);
}

Result<PeerNetworks> PeerNetworks::parse(const std::vector<std::string>& texts) {
  PeerNetworks networks;
  for (const std::string& text : texts) {
    const std::string_view view(text);
    const std::size_t slash = view.find('/');
    Network network{};
    bool is_v4 = false;
    bool is_good = parse_address(view.substr(0, slash), network.first, is_v4);
    network.bits = is_v4 ? 32 : 128;
    if (is_good && slash != std::string_view::npos) {
      const std::string_view digits = view.substr(slash + 1);
      unsigned bits = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
      is_good = read.ec == std::errc() && read.ptr == digits.data() + digits.size() && bits <= network.bits;
      network.bits = bits;
    }
    if (!is_good) {
      return Error(ErrorCode::invalid_argument,
                   "\"" + text + "\" is no network: write an address or ADDRESS/BITS, such as 10.0.0.0/8 or fd00::/8");
    }
    if (is_v4) network.bits += 96;
    networks.networks_.push_back(network);
  }
  return networks;
}

bool PeerNetworks::contains(std::string_view address) const {
  Bytes bytes;
  bool is_v4 = false;
  if (networks_.empty() || !parse_address(address, bytes, is_v4)) return false;
  return std::ranges::any_of(networks_, [&](const Network& network) {
    for (unsigned bit = 0; bit < network.bits; bit += 8) {
      const unsigned rest = std::min(network.bits - bit, 8U);
      const auto mask = static_cast<std::uint8_t>(0xFF00U >> rest);
      if (((bytes[bit / 8] ^ network.first[bit / 8]) & mask) != 0) return false;
    }
    return true;
  });
}

}  // namespace dendro
