#include "base/crypto_hash.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace dendro {

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  // Fetched once: what EVP_sha256() names is looked up at every use.
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<std::uint8_t, 32> digest{};
  unsigned int size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kSha256, nullptr);
  DENDRO_CHECK(done == 1 && size == digest.size());
  return digest;
}

}  // namespace dendro
