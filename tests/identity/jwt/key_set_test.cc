#include "identity/jwt/key_set.h"

#include <gtest/gtest.h>

#include "identity/jwt/key_source.h"
#include "tests/identity/jwt/token_forge.h"

namespace dendro {
namespace {

using enum SignatureAlgorithm;

bool has(const KeySet& set, const std::optional<std::string>& id, SignatureAlgorithm algorithm) {
  return set.find(id, algorithm) != nullptr;
}

TEST(KeySet, FindsByIdAndAlgorithm) {
  const KeySet set = KeySet::parse(TestIssuer::instance().jwks()).value();
  EXPECT_EQ(set.size(), 3u);
  EXPECT_TRUE(has(set, "r1", rs256));
  EXPECT_TRUE(has(set, "e1", es256));
  EXPECT_TRUE(has(set, "d1", eddsa));
  EXPECT_FALSE(has(set, "r1", es256)) << "the key says what it is for, not the token";
  EXPECT_FALSE(has(set, "r1", hs256));
  EXPECT_FALSE(has(set, "r2", rs256));
  EXPECT_FALSE(has(set, "", rs256));
  EXPECT_TRUE(has(set, std::nullopt, rs256)) << "the only one";
}

TEST(KeySet, WithoutAnIdTheChoiceMustBeClear) {
  const TestIssuer& issuer = TestIssuer::instance();
  const KeySet set = KeySet::parse(R"({"keys":[)" + issuer.rsa_jwk("r1") + "," + issuer.rsa_jwk("r2") + "]}").value();
  EXPECT_FALSE(has(set, std::nullopt, rs256));
  EXPECT_TRUE(has(set, "r2", rs256));
}

TEST(KeySet, PassesOverWhatIsForSomethingElse) {
  const TestIssuer& issuer = TestIssuer::instance();
  const KeySet set =
      KeySet::parse(R"({"keys":[7,{},{"kty":"oct","kid":"o","k":"c2VjcmV0"},{"kty":"EC","crv":"P-384","kid":"x"},)" +
                    issuer.rsa_jwk("enc", R"(,"use":"enc")") + "," +
                    issuer.rsa_jwk("wrap", R"(,"key_ops":["wrapKey"])") + "," +
                    issuer.rsa_jwk("pss", R"(,"alg":"PS256")") + "," + issuer.rsa_jwk("hs", R"(,"alg":"HS256")") + "," +
                    issuer.rsa_jwk("ops", R"(,"key_ops":["verify"])") + "]}")
          .value();
  EXPECT_EQ(set.size(), 1u);
  EXPECT_TRUE(has(set, "ops", rs256));
}

TEST(KeySet, ReadsCertificatesAndPem) {
  const TestIssuer& issuer = TestIssuer::instance();
  const auto json_text = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\n");
    return "\"" + text + "\"";
  };
  const KeySet by_id = KeySet::parse("{\"c1\":" + json_text(issuer.rsa.certificate_pem) + ",\"c2\":" +
                                     json_text(issuer.ec.certificate_pem) + ",\"c3\":\"no certificate\",\"c4\":5}")
                           .value();
  EXPECT_EQ(by_id.size(), 2u);
  EXPECT_TRUE(has(by_id, "c1", rs256));
  EXPECT_TRUE(has(by_id, "c2", es256));
  for (const std::string& pem : {issuer.ed.public_pem, "\n" + issuer.ed.certificate_pem}) {
    EXPECT_TRUE(has(KeySet::parse(pem).value(), std::nullopt, eddsa));
  }
}

TEST(KeySet, WithNothingToVerifyWithIsAnError) {
  const TestIssuer& issuer = TestIssuer::instance();
  std::string many = R"({"keys":[)";
  for (int i = 0; i < 101; ++i) many += (i == 0 ? "" : ",") + issuer.ed_jwk("k" + std::to_string(i));
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string(R"({"keys":[]})"), std::string("[]"), std::string("<html>"),
        std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), many + "]}",
        std::string(KeySet::kTextBytesMax + 1, ' ')}) {
    EXPECT_EQ(KeySet::parse(text).error().code(), ErrorCode::invalid_argument) << text.substr(0, 40);
  }
}

TEST(KeySource, KeysTravelSafelyOnly) {
  for (const char* url : {"https://issuer.example/keys", "http://127.0.0.1:8080/keys", "http://localhost/keys",
                          "http://[::1]:9/", "http://localhost"}) {
    EXPECT_TRUE(is_safe_key_url(url)) << url;
  }
  for (const char* url : {"", "http://issuer.example/keys", "https://", "ftp://localhost/", "http://localhost.evil/",
                          "http://127.0.0.1.evil/", "http://localhost:80@evil/", "file:///keys", "localhost"}) {
    EXPECT_FALSE(is_safe_key_url(url)) << url;
  }
}

}  // namespace
}  // namespace dendro
