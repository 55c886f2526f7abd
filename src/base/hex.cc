#include "base/hex.h"

#include <string_view>

namespace dendro {
namespace {

constexpr std::string_view kLowerDigits = "0123456789abcdef";

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kLowerDigits[byte >> 4]);
    text.push_back(kLowerDigits[byte & 15]);
  }
  return text;
}

std::string to_hex16(std::uint64_t number) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; number >>= 4) text[i] = kLowerDigits[number & 15];
  return text;
}

}  // namespace dendro
