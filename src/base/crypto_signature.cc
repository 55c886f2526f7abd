#include "base/crypto_signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>

#include "base/check.h"
#include "base/crypto_compare.h"

namespace dendro {
namespace {

constexpr std::array<std::string_view, 6> kSignatureAlgorithmNames = {"HS256", "HS384", "HS512",
                                                                      "RS256", "ES256", "EdDSA"};
constexpr std::size_t kP256NumberBytes = 32;
constexpr std::size_t kHmacBytesMax = 64;

template <auto Free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
template <typename T, auto Free>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree<Free>>;
using PkeyPtr = OpenSslPtr<EVP_PKEY, EVP_PKEY_free>;
using DigestContextPtr = OpenSslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using MacContextPtr = OpenSslPtr<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using NumberPtr = OpenSslPtr<BIGNUM, BN_free>;
using EcdsaPtr = OpenSslPtr<ECDSA_SIG, ECDSA_SIG_free>;
using BioPtr = OpenSslPtr<BIO, BIO_free>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

Error bad_key(std::string_view what) {
  return Error(ErrorCode::invalid_argument, "key: " + std::string(what));
}

NumberPtr big_number(std::string_view bytes) {
  return NumberPtr(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// The digest that a key of this algorithm signs; null for EdDSA, which makes its own. Fetched once.
const EVP_MD* digest_of(SignatureAlgorithm algorithm) {
  if (algorithm == SignatureAlgorithm::eddsa) return nullptr;
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kSha256;
}

const char* hmac_digest_name(SignatureAlgorithm algorithm) {
  if (algorithm == SignatureAlgorithm::hs256) return "SHA256";
  return algorithm == SignatureAlgorithm::hs384 ? "SHA384" : "SHA512";
}

/// Two numbers of 32 bytes to the DER form that OpenSSL takes; empty: no signature of ES256.
std::string der_of_raw_ecdsa(std::string_view raw) {
  if (raw.size() != 2 * kP256NumberBytes) return {};
  NumberPtr r = big_number(raw.substr(0, kP256NumberBytes));
  NumberPtr s = big_number(raw.substr(kP256NumberBytes));
  const EcdsaPtr pair(ECDSA_SIG_new());
  DENDRO_CHECK(r && s && pair && ECDSA_SIG_set0(pair.get(), r.get(), s.get()) == 1);
  (void)r.release();  // the pair owns them now
  (void)s.release();
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  std::string der(static_cast<std::size_t>(size), '\0');
  unsigned char* end = octets(der);
  DENDRO_CHECK(i2d_ECDSA_SIG(pair.get(), &end) == size);
  return der;
}

std::string raw_of_der_ecdsa(std::string_view der) {
  const unsigned char* first = octets(der);
  const EcdsaPtr pair(d2i_ECDSA_SIG(nullptr, &first, static_cast<long>(der.size())));
  std::string raw(2 * kP256NumberBytes, '\0');
  constexpr int kBytes = static_cast<int>(kP256NumberBytes);
  DENDRO_CHECK(pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), octets(raw), kBytes) == kBytes &&
               BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), octets(raw) + kP256NumberBytes, kBytes) == kBytes);
  return raw;
}

/// The algorithm that a key is for. Errors: invalid_argument (another kind of key, or too weak a one).
Result<SignatureAlgorithm> algorithm_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < SignatureKey::kRsaBitsMin || bits > SignatureKey::kRsaBitsMax) {
      return bad_key("RSA of " + std::to_string(bits) + " bits; " + std::to_string(SignatureKey::kRsaBitsMin) + " to " +
                     std::to_string(SignatureKey::kRsaBitsMax) + " are taken");
    }
    return SignatureAlgorithm::rs256;
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return SignatureAlgorithm::eddsa;
  std::array<char, 64> group{};
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), nullptr) == 1 &&
      (std::string_view(group.data()) == "prime256v1" || std::string_view(group.data()) == "P-256")) {
    return SignatureAlgorithm::es256;
  }
  return bad_key("must be RSA, of the curve P-256, or Ed25519");
}

/// An RSA exponent of 1, a modulus with a small factor, a point beside the curve: anybody could sign for such a key.
bool is_sound(EVP_PKEY* key, SignatureAlgorithm algorithm) {
  if (algorithm == SignatureAlgorithm::eddsa) return true;
  const OpenSslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool is_sound = EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return is_sound;
}

/// A public key of `type` with the parameters that `push` puts into the builder.
template <typename Push>
PkeyPtr public_key_from(const char* type, Push push) {
  const OpenSslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  push(builder.get());
  const OpenSslPtr<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
  const OpenSslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(key);
}

/// OpenSSL would ask at the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

PkeyPtr read_pem(std::string_view pem, bool& is_private) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::size_t begin = pem.find("-----BEGIN ");
  const std::string_view label =
      begin == std::string_view::npos ? "" : pem.substr(begin, pem.find('\n', begin) - begin);
  is_private = label.find("PRIVATE KEY") != std::string_view::npos;
  if (is_private) return PkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_pass_phrase, nullptr));
  if (label.find("CERTIFICATE") == std::string_view::npos) {
    return PkeyPtr(PEM_read_bio_PUBKEY(bio.get(), nullptr, &no_pass_phrase, nullptr));
  }
  const OpenSslPtr<X509, X509_free> certificate(PEM_read_bio_X509(bio.get(), nullptr, &no_pass_phrase, nullptr));
  return PkeyPtr(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
}

}  // namespace

struct SignatureKey::Parts {
  SignatureAlgorithm algorithm = SignatureAlgorithm::hs256;
  MacContextPtr mac;  ///< keyed; copied for each use
  PkeyPtr key;
  bool is_private = false;

  static Result<SignatureKey> checked(PkeyPtr key, bool is_private) {
    ERR_clear_error();
    if (!key) return bad_key("is not one that can be read");
    DENDRO_TRY_ASSIGN(const SignatureAlgorithm algorithm, algorithm_of(key.get()));
    if (!is_sound(key.get(), algorithm)) return bad_key("its numbers are no key");
    auto parts = std::make_shared<Parts>();
    parts->algorithm = algorithm;
    parts->key = std::move(key);
    parts->is_private = is_private;
    return SignatureKey(std::move(parts));
  }

  std::string hmac_of(std::string_view bytes) const {
    const MacContextPtr context(EVP_MAC_CTX_dup(mac.get()));
    std::string code(kHmacBytesMax, '\0');
    std::size_t size = 0;
    DENDRO_CHECK(context && EVP_MAC_update(context.get(), octets(bytes), bytes.size()) == 1 &&
                 EVP_MAC_final(context.get(), octets(code), &size, code.size()) == 1);
    code.resize(size);
    return code;
  }
};

std::string_view signature_algorithm_name(SignatureAlgorithm algorithm) {
  return kSignatureAlgorithmNames[static_cast<std::size_t>(algorithm)];
}

std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) {
  for (std::size_t i = 0; i < kSignatureAlgorithmNames.size(); ++i) {
    if (kSignatureAlgorithmNames[i] == name) return static_cast<SignatureAlgorithm>(i);
  }
  return std::nullopt;
}

Result<SignatureKey> SignatureKey::from_secret(SignatureAlgorithm algorithm, std::string_view secret) {
  if (!is_symmetric(algorithm)) return bad_key("a secret is for HS256, HS384 or HS512 only");
  if (secret.size() < kSecretBytesMin) {
    return bad_key("the secret has " + std::to_string(secret.size()) + " bytes; at least " +
                   std::to_string(kSecretBytesMin) + " are needed");
  }
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  auto parts = std::make_shared<Parts>();
  parts->algorithm = algorithm;
  parts->is_private = true;
  parts->mac = MacContextPtr(EVP_MAC_CTX_new(kHmac));
  std::string digest = hmac_digest_name(algorithm);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                               OSSL_PARAM_construct_end()};
  DENDRO_CHECK(EVP_MAC_init(parts->mac.get(), octets(secret), secret.size(), params) == 1);
  return SignatureKey(std::move(parts));
}

Result<SignatureKey> SignatureKey::from_pem(std::string_view pem) {
  bool is_private = false;
  PkeyPtr key = read_pem(pem, is_private);
  return Parts::checked(std::move(key), is_private);
}

Result<SignatureKey> SignatureKey::from_rsa(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() > kRsaBitsMax / 8 || exponent.size() > 8) return bad_key("RSA numbers are too long");
  const NumberPtr n = big_number(modulus);
  const NumberPtr e = big_number(exponent);
  PkeyPtr key = public_key_from("RSA", [&](OSSL_PARAM_BLD* builder) {
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e.get());
  });
  return Parts::checked(std::move(key), false);
}

Result<SignatureKey> SignatureKey::from_p256(std::string_view x, std::string_view y) {
  if (x.size() != kP256NumberBytes || y.size() != kP256NumberBytes) return bad_key("P-256 numbers must have 32 bytes");
  const std::string point = '\x04' + std::string(x) + std::string(y);  // "uncompressed"
  PkeyPtr key = public_key_from("EC", [&](OSSL_PARAM_BLD* builder) {
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  });
  return Parts::checked(std::move(key), false);
}

Result<SignatureKey> SignatureKey::from_ed25519(std::string_view x) {
  PkeyPtr key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets(x), x.size()));
  return Parts::checked(std::move(key), false);
}

Result<SignatureKey> SignatureKey::from_ed25519_seed(std::string_view seed) {
  PkeyPtr key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, octets(seed), seed.size()));
  return Parts::checked(std::move(key), true);
}

SignatureAlgorithm SignatureKey::algorithm() const {
  return parts_->algorithm;
}

bool SignatureKey::verifies(std::string_view bytes, std::string_view signature) const {
  if (parts_->mac) return equals_secret(signature, parts_->hmac_of(bytes));
  std::string der;
  if (parts_->algorithm == SignatureAlgorithm::es256) {
    der = der_of_raw_ecdsa(signature);
    signature = der;
  }
  const DigestContextPtr context(EVP_MD_CTX_new());
  const bool is_good =
      !signature.empty() &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest_of(parts_->algorithm), nullptr, parts_->key.get()) == 1 &&
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(bytes), bytes.size()) == 1;
  if (!is_good) ERR_clear_error();  // what this thread does with TLS next must not find it
  return is_good;
}

Result<std::string> SignatureKey::sign(std::string_view bytes) const {
  if (parts_->mac) return parts_->hmac_of(bytes);
  if (!parts_->is_private) return bad_key("a public key cannot sign");
  const DigestContextPtr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  DENDRO_CHECK(EVP_DigestSignInit(context.get(), nullptr, digest_of(parts_->algorithm), nullptr, parts_->key.get()) ==
                   1 &&
               EVP_DigestSign(context.get(), nullptr, &size, octets(bytes), bytes.size()) == 1);
  std::string signature(size, '\0');
  DENDRO_CHECK(EVP_DigestSign(context.get(), octets(signature), &size, octets(bytes), bytes.size()) == 1);
  signature.resize(size);
  return parts_->algorithm == SignatureAlgorithm::es256 ? raw_of_der_ecdsa(signature) : signature;
}

Result<std::string> SignatureKey::ed25519_public_bytes() const {
  if (parts_->algorithm != SignatureAlgorithm::eddsa) return bad_key("this is no Ed25519 key");
  std::string bytes(32, '\0');
  std::size_t size = bytes.size();
  DENDRO_CHECK(EVP_PKEY_get_raw_public_key(parts_->key.get(), octets(bytes), &size) == 1 && size == bytes.size());
  return bytes;
}

Result<std::string> SignatureKey::private_pem() const {
  if (!parts_->is_private || parts_->mac) return bad_key("there is no private key to write");
  const BioPtr bio(BIO_new(BIO_s_mem()));
  DENDRO_CHECK(PEM_write_bio_PrivateKey(bio.get(), parts_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace dendro
