#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dendro {

/// Writes small databases of addresses in MaxMind's open format (maxmind.github.io/MaxMind-DB), for tests: a binary
/// tree over the bits of addresses, its leaves point into values. Trees of IPv6, in which IPv4 stands below ::/96.
class GeoFile {
 public:
  using Map =
      std::vector<std::pair<std::string, std::string>>;  ///< names, and values as the functions below encode them

  static std::string text(std::string_view value) { return control(2, value.size()) + std::string(value); }
  static std::string number(double value) { return control(3, 8) + big_endian(std::bit_cast<std::uint64_t>(value), 8); }
  static std::string uint32(std::uint32_t value) { return control(6, 4) + big_endian(value, 4); }
  static std::string map(const Map& members) {
    std::string bytes = control(7, members.size());
    for (const auto& [name, value] : members) bytes += text(name) + value;
    return bytes;
  }
  static std::string list(const std::vector<std::string>& elements) {
    std::string bytes = control(11, elements.size());
    for (const std::string& element : elements) bytes += element;
    return bytes;
  }

  /// What is known of the network of the first `bits` bits of an IPv6 address.
  void add(const std::array<std::uint8_t, 16>& address, int bits, const std::string& value) {
    std::size_t node = 0;
    for (int bit = 0; bit < bits; ++bit) {
      const int side = address[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1;
      if (bit + 1 == bits) {
        nodes_[node][static_cast<std::size_t>(side)] = -static_cast<std::int64_t>(data_.size()) - 2;
        data_ += value;
        return;
      }
      std::int64_t next = nodes_[node][static_cast<std::size_t>(side)];
      if (next <= 0) {
        next = static_cast<std::int64_t>(nodes_.size());
        nodes_.push_back({0, 0});
        nodes_[node][static_cast<std::size_t>(side)] = next;
      }
      node = static_cast<std::size_t>(next);
    }
  }
  void add_v4(std::array<std::uint8_t, 4> address, int bits, const std::string& value) {
    std::array<std::uint8_t, 16> mapped{};
    for (std::size_t i = 0; i < 4; ++i) mapped[12 + i] = address[i];
    add(mapped, 96 + bits, value);
  }

  std::string bytes() const {
    std::string out;
    for (const auto& node : nodes_) {
      for (const std::int64_t side : node) out += big_endian(record(side), 4);
    }
    out.append(16, '\0');
    out += data_;
    out += "\xAB\xCD\xEFMaxMind.com";
    return out + map({{"binary_format_major_version", control(5, 2) + big_endian(2, 2)},
                      {"binary_format_minor_version", control(5, 2) + big_endian(0, 2)},
                      {"build_epoch", std::string("\x08\x02", 2) + big_endian(1'800'000'000, 8)},
                      {"database_type", text("dendro-test")},
                      {"description", map({{"en", text("for tests")}})},
                      {"ip_version", control(5, 2) + big_endian(6, 2)},
                      {"languages", list({text("en")})},
                      {"node_count", uint32(static_cast<std::uint32_t>(nodes_.size()))},
                      {"record_size", control(5, 2) + big_endian(32, 2)}});
  }

 private:
  /// Types above 7 have a byte of their own, and so have sizes from 29 to 284.
  static std::string control(int type, std::size_t size) {
    const std::size_t first = std::min<std::size_t>(size, 29);
    std::string bytes(1, static_cast<char>(type > 7 ? first : static_cast<std::size_t>(type) << 5 | first));
    if (type > 7) bytes.push_back(static_cast<char>(type - 7));
    if (first == 29) bytes.push_back(static_cast<char>(size - 29));
    return bytes;
  }
  static std::string big_endian(std::uint64_t number, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
    return out;
  }
  std::uint64_t record(std::int64_t side) const {
    if (side > 0) return static_cast<std::uint64_t>(side);
    if (side == 0) return nodes_.size();  // nothing is known
    return nodes_.size() + 16 + static_cast<std::uint64_t>(-side - 2);
  }

  std::vector<std::array<std::int64_t, 2>> nodes_{{0, 0}};  ///< 0: nothing; below 0: -2 less the offset of a value
  std::string data_;
};

}  // namespace dendro
