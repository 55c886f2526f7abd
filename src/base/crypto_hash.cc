#include "base/crypto_hash.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace dendro {

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> digest{};
  unsigned int size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  DENDRO_CHECK(done == 1 && size == digest.size());
  return digest;
}

}  // namespace dendro
