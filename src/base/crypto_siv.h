#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// Deterministic authenticated encryption, AES-256-SIV (RFC 5297): the same key, context and text give the same bytes,
/// and nothing else is told of the text but its size. Needs no nonce, so none can be used twice. Immutable;
/// thread-safe.
class SivKey {
 public:
  static constexpr std::size_t kKeyBytes = 64;
  static constexpr std::size_t kTagBytes = 16;

  /// Of kKeyBytes random bytes.
  explicit SivKey(std::string key_bytes);

  /// Tag and ciphertext: kTagBytes more than `plain`. `context` is authenticated, not kept; neither may be empty.
  std::string seal(std::string_view plain, std::string_view context) const;
  /// Nothing unless this key sealed these bytes in this context.
  std::optional<std::string> open(std::string_view sealed, std::string_view context) const;

 private:
  std::string key_;
};

/// `bytes` of key material for one purpose (HKDF with SHA-256, RFC 5869): from `secret`, which may be any text with
/// enough entropy, `purpose` tells what is derived from one secret apart. At most 255 * 32 bytes.
std::string derive_key(std::string_view secret, std::string_view purpose, std::size_t bytes);

}  // namespace dendro
