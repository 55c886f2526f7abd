#pragma once

#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "base/crypto_signature.h"
#include "tests/base/openssl_key.h"

namespace dendro {

inline std::string base64url(std::string_view bytes) {
  std::string text;
  append_base64url(text, bytes);
  return text;
}

/// A token of any header and claims, signed by any key: what an attacker can make too, but for the key.
inline std::string forge_token(std::string_view header, std::string_view claims, const SignatureKey& key) {
  const std::string signed_part = base64url(header) + "." + base64url(claims);
  return signed_part + "." + base64url(key.sign(signed_part).value());
}

/// An issuer with a key of each kind; made once a program, since RSA takes its time.
struct TestIssuer {
  OpenSslKey rsa = OpenSslKey::rsa(), ec = OpenSslKey::p256(), ed = OpenSslKey::ed25519();
  SignatureKey rs256 = SignatureKey::from_pem(rsa.private_pem).value();
  SignatureKey es256 = SignatureKey::from_pem(ec.private_pem).value();
  SignatureKey eddsa = SignatureKey::from_pem(ed.private_pem).value();

  static const TestIssuer& instance() {
    static const TestIssuer kIssuer;
    return kIssuer;
  }
  std::string rsa_jwk(const std::string& id, const std::string& more = "") const {
    return R"({"kty":"RSA","kid":")" + id + R"(","n":")" + base64url(rsa.n) + R"(","e":")" + base64url(rsa.e) + "\"" +
           more + "}";
  }
  std::string ec_jwk(const std::string& id) const {
    return R"({"kty":"EC","crv":"P-256","kid":")" + id + R"(","x":")" + base64url(ec.x) + R"(","y":")" +
           base64url(ec.y) + R"("})";
  }
  std::string ed_jwk(const std::string& id) const {
    return R"({"kty":"OKP","crv":"Ed25519","kid":")" + id + R"(","x":")" + base64url(ed.x) + R"("})";
  }
  /// Key ids r1, e1, d1.
  std::string jwks() const {
    return R"({"keys":[)" + rsa_jwk("r1", R"(,"alg":"RS256","use":"sig")") + "," + ec_jwk("e1") + "," + ed_jwk("d1") +
           "]}";
  }
};

}  // namespace dendro
