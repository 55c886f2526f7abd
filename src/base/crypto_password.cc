#include "base/crypto_password.h"

#include <sodium.h>

#include <array>
#include <cerrno>

#include "base/check.h"

namespace dendro {
namespace {

constexpr unsigned long long kArgonPasses = 2;
constexpr std::size_t kArgonBytes = std::size_t{19} << 20;

void init_sodium() {
  static const int kStarted = sodium_init();
  DENDRO_CHECK(kStarted >= 0);
}

Error no_memory_for_hash() {
  return Error(ErrorCode::resource_exhausted,
               "hashing a password needs " + std::to_string(kArgonBytes >> 20) + " MiB, which are not free");
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  init_sodium();
  std::array<char, crypto_pwhash_argon2id_STRBYTES> hash{};
  if (crypto_pwhash_argon2id_str(hash.data(), password.data(), password.size(), kArgonPasses, kArgonBytes) != 0) {
    return no_memory_for_hash();
  }
  return std::string(hash.data());
}

Result<bool> is_password(std::string_view password, const std::string& hash) {
  init_sodium();
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};  // what sodium reads
  if (hash.size() >= text.size()) return false;
  hash.copy(text.data(), hash.size());
  errno = 0;
  if (crypto_pwhash_argon2id_str_verify(text.data(), password.data(), password.size()) == 0) return true;
  if (errno == ENOMEM) return no_memory_for_hash();
  return false;
}

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace dendro
