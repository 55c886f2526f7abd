#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace dendro {

static_assert(std::endian::native == std::endian::little,
              "files and frames are little-endian; so are the machines we build for");

/// Reads a little-endian integer at `data`; the caller has checked the bounds.
template <typename Number>
Number load_le(const void* data) {
  Number number;
  std::memcpy(&number, data, sizeof number);
  return number;
}
template <typename Number>
void store_le(void* data, Number number) {
  std::memcpy(data, &number, sizeof number);
}
template <typename Number>
void append_le(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// LEB128, at most 10 bytes.
inline void append_varint(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(number | 0x80)));
    number >>= 7;
  }
  out.push_back(static_cast<char>(static_cast<std::uint8_t>(number)));
}
inline std::uint64_t zigzag_encode(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
inline std::int64_t zigzag_decode(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}
inline void append_sized(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out.append(bytes);
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Reads a byte string from the front with every bound checked. After a failed read `ok()` is false and reads give
/// zeros. Borrows its input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

  template <typename Number>
  Number read_le() {
    if (rest_.size() < sizeof(Number)) return fail<Number>();
    const Number number = load_le<Number>(rest_.data());
    rest_.remove_prefix(sizeof(Number));
    return number;
  }
  std::uint64_t read_varint() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return fail<std::uint64_t>();
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return fail<std::uint64_t>();
      number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return number;
    }
    return fail<std::uint64_t>();
  }
  std::string_view read_bytes(std::uint64_t size) {
    if (size > rest_.size()) return fail<std::string_view>();
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  /// A varint size and that many bytes.
  std::string_view read_sized() { return read_bytes(read_varint()); }

 private:
  template <typename T>
  T fail() {
    ok_ = false;
    rest_ = {};
    return T{};
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace dendro
