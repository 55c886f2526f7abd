#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/check.h"
#include "base/hex.h"

namespace dendro {

void SystemRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    DENDRO_CHECK(got > 0);  // getrandom without flags cannot fail otherwise
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::string uuid_v4(Bytes16 bytes) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  const std::string hex = to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

std::string random_base62(RandomSource& random, std::size_t characters) {
  constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::uint8_t kEvenMax = 62 * 4;  // above it some characters would come more often
  std::string text;
  while (text.size() < characters) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    for (const std::uint8_t byte : bytes) {
      if (byte < kEvenMax && text.size() < characters) text.push_back(kBase62[byte % 62]);
    }
  }
  return text;
}

}  // namespace dendro
