#include "identity/jwt/jwt.h"

#include <gtest/gtest.h>

#include "tests/identity/jwt/token_forge.h"

namespace dendro {
namespace {

const std::string kGoodHeader = R"({"alg":"HS256","typ":"JWT"})";
const std::string kGoodClaims = R"({"sub":"sue","exp":1})";

std::string unsigned_token(std::string_view header, std::string_view claims) {
  return base64url(header) + "." + base64url(claims) + ".c2lnbg";
}

/// "" if it is read.
std::string fault(const std::string& text) {
  const auto jwt = parse_jwt(text);
  if (jwt) return "";
  EXPECT_EQ(jwt.error().code(), ErrorCode::unauthenticated);
  return jwt.error().message();
}
std::string header_fault(std::string_view header) {
  return fault(unsigned_token(header, kGoodClaims));
}

TEST(Jwt, IsReadIntoItsParts) {
  const std::string text = unsigned_token(R"({"alg":"ES256","kid":"k1","typ":"at+JWT","x":[{}]})", kGoodClaims);
  const Jwt jwt = parse_jwt(text).value();
  EXPECT_EQ(jwt.algorithm, SignatureAlgorithm::es256);
  EXPECT_EQ(jwt.key_id, "k1");
  EXPECT_EQ(jwt.claims.find("sub")->as_string(), "sue");
  EXPECT_EQ(jwt.signed_part, text.substr(0, text.rfind('.')));
  EXPECT_EQ(jwt.signature, "sign");
}

TEST(Jwt, MadeOnesAreReadBack) {
  const auto key = SignatureKey::from_secret(SignatureAlgorithm::hs384, std::string(32, 'k')).value();
  const std::string text = make_jwt(key, kGoodClaims);
  const Jwt jwt = parse_jwt(text).value();
  EXPECT_EQ(jwt.algorithm, SignatureAlgorithm::hs384);
  EXPECT_EQ(jwt.key_id, std::nullopt);
  EXPECT_TRUE(key.verifies(jwt.signed_part, jwt.signature));
}

TEST(Jwt, HasThreePartsOfStrictBase64Url) {
  const std::string good = unsigned_token(kGoodHeader, kGoodClaims);
  EXPECT_EQ(fault(good), "");
  const std::size_t dot = good.find('.');
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".", good + ".x", "." + good,
        good.substr(0, good.rfind('.')), good + "=", good + "\n", " " + good, good + " ",
        good.substr(0, dot) + "=" + good.substr(dot), good.substr(0, good.rfind('.') + 1)}) {
    EXPECT_NE(fault(bad), "") << bad;
  }
}

TEST(Jwt, IsBoundedBeforeItIsRead) {
  const auto sized = [](std::size_t padding) {
    return unsigned_token(kGoodHeader, R"({"sub":")" + std::string(padding, 'x') + R"("})");
  };
  std::size_t padding = 6'000;
  while (sized(padding + 1).size() <= kJwtBytesMax) ++padding;
  EXPECT_EQ(fault(sized(padding)), "");
  EXPECT_NE(fault(sized(padding + 1)).find("more than 8192 bytes"), std::string::npos);
}

TEST(Jwt, NamesItsAlgorithmAndNothingThatMustBeUnderstood) {
  for (const char* algorithm : {"none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "RS512", "PS256", "ES384"}) {
    EXPECT_NE(header_fault(R"({"alg":")" + std::string(algorithm) + R"("})").find("alg"), std::string::npos);
  }
  for (const char* header : {R"({})", R"({"alg":null})", R"({"alg":256})", R"({"alg":["HS256"]})"}) {
    EXPECT_NE(header_fault(header).find("alg"), std::string::npos) << header;
  }
  EXPECT_NE(header_fault(R"({"alg":"HS256","crit":["exp"]})").find("crit"), std::string::npos);
  EXPECT_NE(header_fault(R"({"alg":"HS256","crit":[]})").find("crit"), std::string::npos);
  EXPECT_NE(header_fault(R"({"alg":"HS256","typ":"logout+jwt"})").find("typ"), std::string::npos);
  EXPECT_NE(header_fault(R"({"alg":"HS256","typ":7})").find("typ"), std::string::npos);
  EXPECT_EQ(header_fault(R"({"alg":"HS256","typ":"application/at+JWT"})"), "");
  EXPECT_NE(header_fault(R"({"alg":"HS256","kid":7})").find("kid"), std::string::npos);
  EXPECT_NE(header_fault(R"({"alg":"HS256","kid":")" + std::string(257, 'k') + R"("})").find("kid"), std::string::npos);
}

TEST(Jwt, NamesNoMemberTwice) {
  EXPECT_NE(header_fault(R"({"alg":"HS256","alg":"HS256"})").find("twice"), std::string::npos);
  for (const char* claims : {R"({"sub":"a","sub":"b"})", R"({"sub":"a","s\u0075b":"b"})", R"({"a":{"b":1,"b":2}})",
                             R"({"a":[[{"b":1,"b":1}]]})"}) {
    EXPECT_NE(fault(unsigned_token(kGoodHeader, claims)).find("twice"), std::string::npos) << claims;
  }
  EXPECT_EQ(fault(unsigned_token(kGoodHeader, R"({"a":{"b":1},"c":{"b":1},"B":1})")), "");
}

TEST(Jwt, HoldsJsonObjectsOnly) {
  for (const std::string& claims :
       {std::string("[]"), std::string("\"x\""), std::string("null"), std::string("1"), std::string(""),
        std::string("{"), std::string("{} {}"), std::string("\xEF\xBB\xBF{}"), std::string("{\"a\":\"\xff\"}"),
        std::string("{\"a\":") + std::string(2'000, '[') + std::string(2'000, ']') + "}"}) {
    EXPECT_NE(fault(unsigned_token(kGoodHeader, claims)), "") << claims.substr(0, 20);
  }
}

}  // namespace
}  // namespace dendro
