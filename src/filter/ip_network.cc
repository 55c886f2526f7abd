#include "filter/ip_network.h"

#include <charconv>

#include "filter/text_pattern.h"

namespace dendro {
namespace {

bool is_v4_char(char c) {
  return (c >= '0' && c <= '9') || c == '.';
}
bool is_v6_char(char c) {
  return is_v4_char(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
}

/// Without what ends a clause: the dot of a sentence, the colon of a port that is none. `fe80::` keeps both of its own.
std::string_view without_clause_end(std::string_view run) {
  while (run.size() > 1 && (run.back() == '.' || run.back() == ':') && !run.ends_with("::")) run.remove_suffix(1);
  return run;
}

/// Calls `visit(IpAddress)` for each run of `is_part` characters that is an address and that no word touches, until it
/// returns true.
template <typename IsPart, typename Visit>
bool any_address(std::string_view text, IsPart is_part, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_part(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_part(text[end])) ++end;
    const bool is_free = (at == 0 || !is_word_char(text[at - 1])) && (end == text.size() || !is_word_char(text[end]));
    if (is_free) {
      const auto address = parse_ip(without_clause_end(text.substr(at, end - at)));
      if (address && visit(*address)) return true;
    }
    at = end;
  }
  return false;
}

}  // namespace

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork network;
  network.text_ = text;
  network.first_ = *address;
  const int bits_max = address->family == 4 ? 32 : 128;
  network.bits_ = bits_max;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, network.bits_);
    if (read.ec != std::errc() || read.ptr != end || network.bits_ < 0 || network.bits_ > bits_max) return std::nullopt;
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.family != first_.family) return false;
  for (int bit = 0; bit < bits_; bit += 8) {
    const auto index = static_cast<std::size_t>(bit / 8);
    const int kept = bits_ - bit >= 8 ? 8 : bits_ - bit;
    const auto differing = static_cast<unsigned>(address.bytes[index] ^ first_.bytes[index]);
    if (differing >> (8 - kept) != 0) return false;
  }
  return true;
}

bool IpNetwork::stands_in(std::string_view text) const {
  const auto is_inside = [this](const IpAddress& address) { return contains(address); };
  return first_.family == 4 ? any_address(text, is_v4_char, is_inside) : any_address(text, is_v6_char, is_inside);
}

}  // namespace dendro
