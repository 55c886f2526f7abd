#include "base/base32.h"

#include <cstdint>

namespace dendro {
namespace {

constexpr std::string_view kBase32Letters = "abcdefghijklmnopqrstuvwxyz234567";

}  // namespace

void append_base32(std::string& out, std::string_view bytes) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 5; count -= 5) out.push_back(kBase32Letters[bits >> (count - 5) & 31]);
    bits &= 31;
  }
  if (count > 0) out.push_back(kBase32Letters[bits << (5 - count) & 31]);
}

std::optional<std::string> decode_base32(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t value = kBase32Letters.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 5 | static_cast<std::uint32_t>(value);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count));
    bits &= (1u << count) - 1;
  }
  // A letter that began no byte, or bits that no byte has.
  if (count >= 5 || bits != 0) return std::nullopt;
  return bytes;
}

}  // namespace dendro
