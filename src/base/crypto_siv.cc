#include "base/crypto_siv.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/hmac.h"

namespace dendro {
namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* siv_cipher() {
  static const std::unique_ptr<EVP_CIPHER, FreeCipher> kCipher(EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr));
  DENDRO_CHECK(kCipher != nullptr);
  return kCipher.get();
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

/// A context that has taken key and associated data.
ContextPtr begin_siv(const std::string& key, std::string_view context, bool is_sealing, std::string_view tag) {
  ContextPtr cipher(EVP_CIPHER_CTX_new());
  DENDRO_CHECK(cipher != nullptr);
  int taken = 0;
  DENDRO_CHECK(EVP_CipherInit_ex2(cipher.get(), siv_cipher(), bytes_of(key), nullptr, is_sealing ? 1 : 0, nullptr) ==
               1);
  if (!is_sealing) {
    std::string given(tag);
    DENDRO_CHECK(
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(given.size()), given.data()) == 1);
  }
  DENDRO_CHECK(EVP_CipherUpdate(cipher.get(), nullptr, &taken, bytes_of(context), static_cast<int>(context.size())) ==
               1);
  return cipher;
}

std::string digest_as_text(const std::array<std::uint8_t, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

SivKey::SivKey(std::string key_bytes) : key_(std::move(key_bytes)) {
  DENDRO_CHECK(key_.size() == kKeyBytes);
}

std::string SivKey::seal(std::string_view plain, std::string_view context) const {
  DENDRO_CHECK(!plain.empty() && !context.empty());
  const ContextPtr cipher = begin_siv(key_, context, true, {});
  std::string sealed(kTagBytes + plain.size(), '\0');
  int written = 0;
  DENDRO_CHECK(EVP_CipherUpdate(cipher.get(), bytes_of(sealed) + kTagBytes, &written, bytes_of(plain),
                                static_cast<int>(plain.size())) == 1);
  DENDRO_CHECK(EVP_CipherFinal_ex(cipher.get(), bytes_of(sealed) + sealed.size(), &written) == 1);
  DENDRO_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, sealed.data()) == 1);
  return sealed;
}

std::optional<std::string> SivKey::open(std::string_view sealed, std::string_view context) const {
  if (sealed.size() <= kTagBytes || context.empty()) return std::nullopt;
  const ContextPtr cipher = begin_siv(key_, context, false, sealed.substr(0, kTagBytes));
  const std::string_view body = sealed.substr(kTagBytes);
  std::string plain(body.size(), '\0');
  int written = 0;
  // The check of the tag is part of the one call that takes the text.
  if (EVP_CipherUpdate(cipher.get(), bytes_of(plain), &written, bytes_of(body), static_cast<int>(body.size())) != 1) {
    return std::nullopt;
  }
  if (EVP_CipherFinal_ex(cipher.get(), bytes_of(plain) + plain.size(), &written) != 1) return std::nullopt;
  return plain;
}

std::string derive_key(std::string_view secret, std::string_view purpose, std::size_t bytes) {
  const std::string extracted = digest_as_text(hmac_sha256("dendro", secret));
  std::string key, block;
  for (char counter = 1; key.size() < bytes; ++counter) {
    block = digest_as_text(hmac_sha256(extracted, block + std::string(purpose) + counter));
    key += block;
  }
  key.resize(bytes);
  return key;
}

}  // namespace dendro
