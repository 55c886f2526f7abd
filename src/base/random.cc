#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

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

}  // namespace dendro
