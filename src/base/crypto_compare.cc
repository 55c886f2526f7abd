#include "base/crypto_compare.h"

#include <openssl/crypto.h>

#include "base/crypto_hash.h"

namespace dendro {

bool equals_secret(std::string_view given, std::string_view secret) {
  const auto given_digest = sha256(given);
  const auto secret_digest = sha256(secret);
  return CRYPTO_memcmp(given_digest.data(), secret_digest.data(), secret_digest.size()) == 0;
}

}  // namespace dendro
