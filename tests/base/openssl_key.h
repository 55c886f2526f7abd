#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>

#include "base/check.h"

namespace dendro {

/// A new key pair in every form that a verifier may be given, made with OpenSSL itself.
struct OpenSslKey {
  std::string private_pem, public_pem, certificate_pem;
  std::string n, e, x, y;  ///< numbers of a JWK, big-endian; those that its kind has

  static OpenSslKey rsa(std::size_t bits = 2048) { return from(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)); }
  static OpenSslKey p256() { return from(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }
  static OpenSslKey p384() { return from(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384")); }
  static OpenSslKey ed25519() { return from(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

 private:
  static OpenSslKey from(EVP_PKEY* key) {
    DENDRO_CHECK(key != nullptr);
    OpenSslKey made;
    made.private_pem =
        text([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
    made.public_pem = text([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key); });
    made.certificate_pem = certificate_of(key);
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
      made.n = number(key, OSSL_PKEY_PARAM_RSA_N, 0);
      made.e = number(key, OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (EVP_PKEY_is_a(key, "EC") == 1) {
      const int bytes = (EVP_PKEY_get_bits(key) + 7) / 8;
      made.x = number(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes);
      made.y = number(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes);
    } else {
      made.x.resize(32);
      std::size_t size = made.x.size();
      DENDRO_CHECK(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(made.x.data()), &size) == 1);
    }
    EVP_PKEY_free(key);
    return made;
  }

  template <typename Write>
  static std::string text(Write write) {
    BIO* const bio = BIO_new(BIO_s_mem());
    DENDRO_CHECK(write(bio) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }

  static std::string number(EVP_PKEY* key, const char* name, int bytes) {
    BIGNUM* big = nullptr;
    DENDRO_CHECK(EVP_PKEY_get_bn_param(key, name, &big) == 1);
    std::string out(static_cast<std::size_t>(bytes == 0 ? BN_num_bytes(big) : bytes), '\0');
    BN_bn2binpad(big, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(big);
    return out;
  }

  static std::string certificate_of(EVP_PKEY* key) {
    X509* const certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    DENDRO_CHECK(X509_sign(certificate, key, EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256()) > 0);
    std::string pem = text([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
    X509_free(certificate);
    return pem;
  }
};

}  // namespace dendro
