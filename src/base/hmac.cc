#include "base/hmac.h"

#include <string>

#include "base/crypto_hash.h"

namespace dendro {
namespace {

constexpr std::size_t kHmacBlockBytes = 64;

std::string_view digest_text(const std::array<std::uint8_t, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string padded_key(std::string_view key, char pad) {
  std::string block(kHmacBlockBytes, pad);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] = static_cast<char>(block[i] ^ key[i]);
  return block;
}

}  // namespace

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes) {
  const std::array<std::uint8_t, 32> short_key = sha256(key);
  if (key.size() > kHmacBlockBytes) key = digest_text(short_key);
  const auto inner = sha256(padded_key(key, 0x36).append(bytes));
  return sha256(padded_key(key, 0x5C).append(digest_text(inner)));
}

}  // namespace dendro
