#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// How a token is signed (RFC 7518 section 3.1; EdDSA with Ed25519: RFC 8037).
enum class SignatureAlgorithm : std::uint8_t { hs256, hs384, hs512, rs256, es256, eddsa };
/// "HS256", as headers of tokens spell it.
std::string_view signature_algorithm_name(SignatureAlgorithm algorithm);
std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name);
/// Whether signer and verifier share one secret.
constexpr bool is_symmetric(SignatureAlgorithm algorithm) {
  return algorithm <= SignatureAlgorithm::hs512;
}

/// A key and the one algorithm that it may be used with: whoever checks a signature cannot be talked into another.
/// Immutable, cheap to copy, thread-safe.
class SignatureKey {
 public:
  /// Shorter secrets can be guessed from one token.
  static constexpr std::size_t kSecretBytesMin = 32;
  /// A longer modulus is a way to keep us busy.
  static constexpr int kRsaBitsMin = 2048, kRsaBitsMax = 8192;

  /// Errors: invalid_argument (no symmetric algorithm, secret too short).
  static Result<SignatureKey> from_secret(SignatureAlgorithm algorithm, std::string_view secret);
  /// The first block: a certificate, a public key or an unencrypted private key; RSA is for RS256, P-256 for ES256,
  /// Ed25519 for EdDSA. A certificate's dates and issuer are not looked at: where it came from vouches for it.
  /// Errors: invalid_argument.
  static Result<SignatureKey> from_pem(std::string_view pem);
  /// Numbers of a JWK, big-endian bytes. Errors: invalid_argument (size, or no point of the curve).
  static Result<SignatureKey> from_rsa(std::string_view modulus, std::string_view exponent);
  static Result<SignatureKey> from_p256(std::string_view x, std::string_view y);
  static Result<SignatureKey> from_ed25519(std::string_view x);
  /// The private key that these 32 random bytes are (RFC 8032, 5.1.5).
  static Result<SignatureKey> from_ed25519_seed(std::string_view seed);

  SignatureAlgorithm algorithm() const;
  /// ES256 signatures are r and s, 32 bytes each.
  bool verifies(std::string_view bytes, std::string_view signature) const;
  /// Errors: invalid_argument (a public key).
  Result<std::string> sign(std::string_view bytes) const;
  /// The 32 bytes that from_ed25519 takes. Errors: invalid_argument (another algorithm).
  Result<std::string> ed25519_public_bytes() const;
  /// PKCS #8. Errors: invalid_argument (a public key, or a secret).
  Result<std::string> private_pem() const;

 private:
  struct Parts;
  explicit SignatureKey(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace dendro
