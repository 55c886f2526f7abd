#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <string>

#include "base/check.h"

namespace dendro {

/// A certificate and its key, in PEM.
struct TestPair {
  std::string certificate, key;
};

/// What a certificate says.
struct TestCertificate {
  std::string common_name = "test";
  std::string alternative_names = {};      ///< "DNS:a.example.org,URI:spiffe://x"; empty: none
  std::string usage = "clientAuth";        ///< extended key usage; empty: none
  long first_s = -3'600, last_s = 86'400;  ///< seconds from the machine's now, which is what OpenSSL looks at
  long serial = 1;
};

/// An authority of the test's own, made with OpenSSL itself.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority") : key_(new_key()) {
    certificate_ = X509_new();
    fill(certificate_, {.common_name = name, .usage = ""}, key_, X509_get_subject_name(certificate_));
    add_extension(certificate_, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
    DENDRO_CHECK(X509_sign(certificate_, key_, EVP_sha256()) > 0);
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  std::string certificate() const {
    return pem([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate_); });
  }

  TestPair sign(const TestCertificate& wanted) const {
    EVP_PKEY* const key = new_key();
    X509* const made = X509_new();
    fill(made, wanted, key, X509_get_subject_name(certificate_));
    if (!wanted.alternative_names.empty()) add_extension(made, NID_subject_alt_name, wanted.alternative_names);
    if (!wanted.usage.empty()) add_extension(made, NID_ext_key_usage, wanted.usage);
    DENDRO_CHECK(X509_sign(made, key_, EVP_sha256()) > 0);
    TestPair pair{pem([&](BIO* bio) { return PEM_write_bio_X509(bio, made); }), pem([&](BIO* bio) {
                    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
                  })};
    X509_free(made);
    EVP_PKEY_free(key);
    return pair;
  }

  /// A revocation list of these serial numbers; `next_s`: until when it is good.
  std::string revoke(std::initializer_list<long> serials, long next_s = 86'400) const {
    X509_CRL* const list = X509_CRL_new();
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_));
    ASN1_TIME* const time = ASN1_TIME_new();
    X509_gmtime_adj(time, -3'600);
    X509_CRL_set1_lastUpdate(list, time);
    for (const long serial : serials) {
      X509_REVOKED* const revoked = X509_REVOKED_new();
      ASN1_INTEGER* const number = ASN1_INTEGER_new();
      ASN1_INTEGER_set(number, serial);
      X509_REVOKED_set_serialNumber(revoked, number);
      X509_REVOKED_set_revocationDate(revoked, time);
      X509_CRL_add0_revoked(list, revoked);
      ASN1_INTEGER_free(number);
    }
    X509_gmtime_adj(time, next_s);
    X509_CRL_set1_nextUpdate(list, time);
    ASN1_TIME_free(time);
    DENDRO_CHECK(X509_CRL_sign(list, key_, EVP_sha256()) > 0);
    std::string text = pem([list](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list); });
    X509_CRL_free(list);
    return text;
  }

 private:
  static EVP_PKEY* new_key() {
    EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    DENDRO_CHECK(key != nullptr);
    return key;
  }

  static void fill(X509* certificate, const TestCertificate& wanted, EVP_PKEY* key, const X509_NAME* issuer) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), wanted.serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.first_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.last_s);
    X509_set_pubkey(certificate, key);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    const auto add = [subject](const char* field, const std::string& text) {
      X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0);
    };
    add("O", "dendro tests");
    add("CN", wanted.common_name);
    X509_set_issuer_name(certificate, issuer);
  }

  static void add_extension(X509* certificate, int kind, const std::string& text) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, text.c_str());
    DENDRO_CHECK(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  template <typename Write>
  static std::string pem(Write write) {
    BIO* const bio = BIO_new(BIO_s_mem());
    DENDRO_CHECK(write(bio) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }

  EVP_PKEY* key_;
  X509* certificate_;
};

}  // namespace dendro
