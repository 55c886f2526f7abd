#include "base/crypto_signature.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/crypto_compare.h"
#include "base/hex.h"
#include "tests/base/openssl_key.h"

namespace dendro {
namespace {

std::string plain(std::string_view base64url) {
  return decode_base64url(base64url).value();
}

/// RFC 7515 appendix A.1.
TEST(Signature, AgreesWithThePublishedHs256) {
  const auto key = SignatureKey::from_secret(
      SignatureAlgorithm::hs256,
      plain("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
  const std::string_view bytes =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlL"
      "mNvbS9pc19yb290Ijp0cnVlfQ";
  const std::string signature = plain("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_TRUE(key->verifies(bytes, signature));
  EXPECT_EQ(*key->sign(bytes), signature);
}

/// RFC 7515 appendix A.3.
TEST(Signature, AgreesWithThePublishedEs256) {
  const auto key = SignatureKey::from_p256(plain("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                           plain("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
  const std::string_view bytes =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0c"
      "nVlfQ";
  EXPECT_TRUE(key->verifies(
      bytes, plain("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")));
}

/// RFC 8037 appendix A.4.
TEST(Signature, AgreesWithThePublishedEdDsa) {
  const auto key = SignatureKey::from_ed25519(plain("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
  EXPECT_TRUE(
      key->verifies("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                    plain("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")));
}

/// What one form of a key signs, every other form verifies; a flipped bit anywhere is seen.
void expect_all_forms_agree(const OpenSslKey& made, SignatureAlgorithm algorithm, const SignatureKey& from_numbers) {
  const auto private_key = SignatureKey::from_pem(made.private_pem);
  const auto public_key = SignatureKey::from_pem(made.public_pem);
  const auto certificate = SignatureKey::from_pem(made.certificate_pem);
  ASSERT_TRUE(private_key && public_key && certificate);
  const std::string bytes = "what is signed";
  const auto signature = private_key->sign(bytes);
  ASSERT_TRUE(signature.has_value()) << signature.error().message();
  for (const SignatureKey& key : {*private_key, *public_key, *certificate, from_numbers}) {
    EXPECT_EQ(key.algorithm(), algorithm);
    EXPECT_TRUE(key.verifies(bytes, *signature));
    EXPECT_FALSE(key.verifies("what is signes", *signature));
    EXPECT_FALSE(key.verifies(bytes, ""));
    EXPECT_FALSE(key.verifies(bytes, signature->substr(1)));
    EXPECT_FALSE(key.verifies(bytes, *signature + "x"));
    for (std::size_t i = 0; i < signature->size(); i += 7) {
      std::string flipped = *signature;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
      EXPECT_FALSE(key.verifies(bytes, flipped)) << i;
    }
  }
  EXPECT_EQ(public_key->sign(bytes).error().code(), ErrorCode::invalid_argument);
}

TEST(Signature, Rs256InAllForms) {
  const OpenSslKey made = OpenSslKey::rsa();
  expect_all_forms_agree(made, SignatureAlgorithm::rs256, *SignatureKey::from_rsa(made.n, made.e));
}
TEST(Signature, Es256InAllForms) {
  const OpenSslKey made = OpenSslKey::p256();
  expect_all_forms_agree(made, SignatureAlgorithm::es256, *SignatureKey::from_p256(made.x, made.y));
  const auto key = SignatureKey::from_pem(made.private_pem);
  for (int i = 0; i < 300; ++i) {  // numbers with leading zeros come up
    const std::string signature = *key->sign(std::to_string(i));
    ASSERT_EQ(signature.size(), 64u);
    ASSERT_TRUE(key->verifies(std::to_string(i), signature));
  }
  EXPECT_FALSE(key->verifies("x", std::string(64, '\0')));
}
TEST(Signature, EdDsaInAllForms) {
  const OpenSslKey made = OpenSslKey::ed25519();
  expect_all_forms_agree(made, SignatureAlgorithm::eddsa, *SignatureKey::from_ed25519(made.x));
}

TEST(Signature, LongerHmacs) {
  const std::string secret(40, 'k');
  for (const auto& [algorithm, bytes] : {std::pair{SignatureAlgorithm::hs256, 32u},
                                         {SignatureAlgorithm::hs384, 48u},
                                         {SignatureAlgorithm::hs512, 64u}}) {
    const auto key = SignatureKey::from_secret(algorithm, secret);
    const std::string code = *key->sign("x");
    EXPECT_EQ(code.size(), bytes);
    EXPECT_TRUE(key->verifies("x", code));
    EXPECT_FALSE(key->verifies("y", code));
    EXPECT_FALSE(key->verifies("x", code.substr(1)));
    EXPECT_FALSE(SignatureKey::from_secret(algorithm, secret + "k")->verifies("x", code));
  }
}

TEST(Signature, WeakOrForeignKeysAreRefused) {
  const auto refused = [](const Result<SignatureKey>& key) {
    return !key && key.error().code() == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(refused(SignatureKey::from_secret(SignatureAlgorithm::hs256, std::string(31, 'k'))));
  EXPECT_TRUE(refused(SignatureKey::from_secret(SignatureAlgorithm::rs256, std::string(64, 'k'))));
  for (const char* text : {"", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
    EXPECT_TRUE(refused(SignatureKey::from_pem(text))) << text;
  }
  const OpenSslKey weak = OpenSslKey::rsa(1024);
  EXPECT_TRUE(refused(SignatureKey::from_pem(weak.public_pem)));
  EXPECT_TRUE(refused(SignatureKey::from_rsa(weak.n, weak.e)));
  const OpenSslKey strong = OpenSslKey::rsa();
  EXPECT_TRUE(refused(SignatureKey::from_rsa(strong.n, "\x01")));
  EXPECT_TRUE(refused(SignatureKey::from_rsa(std::string(2000, '\xff'), strong.e)));
  EXPECT_TRUE(refused(SignatureKey::from_pem(OpenSslKey::p384().public_pem)));
  const OpenSslKey point = OpenSslKey::p256();
  EXPECT_TRUE(refused(SignatureKey::from_p256(point.y, point.x))) << "beside the curve";
  EXPECT_TRUE(refused(SignatureKey::from_p256(point.x, point.y.substr(1))));
  EXPECT_TRUE(refused(SignatureKey::from_ed25519("short")));
}

TEST(Signature, AnEd25519KeyIsItsSeed) {
  // RFC 8032, 7.1, TEST 2.
  const auto bytes = [](std::string_view hex) { return parse_hex(hex).value(); };
  const auto key =
      SignatureKey::from_ed25519_seed(bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->ed25519_public_bytes().value(),
            bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
  EXPECT_EQ(key->sign("\x72").value(), bytes("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"));
  const auto written = SignatureKey::from_pem(key->private_pem().value());
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(written->sign("\x72").value(), key->sign("\x72").value());

  EXPECT_FALSE(SignatureKey::from_ed25519_seed("short").has_value());
  const auto secret = SignatureKey::from_secret(SignatureAlgorithm::hs256, std::string(32, 'x'));
  EXPECT_FALSE(secret->ed25519_public_bytes().has_value());
  EXPECT_FALSE(secret->private_pem().has_value());
  const auto only_public = SignatureKey::from_ed25519(key->ed25519_public_bytes().value());
  EXPECT_FALSE(only_public->private_pem().has_value());
}

TEST(Hex, ComesBack) {
  EXPECT_EQ(parse_hex("00fFa1"), std::string("\x00\xff\xa1", 3));
  EXPECT_EQ(parse_hex(""), "");
  for (const char* text : {"0", "0g", "+1", " 1", "0x00"}) EXPECT_EQ(parse_hex(text), std::nullopt) << text;
}

TEST(Signature, NamesAreThoseOfHeaders) {
  for (const char* name : {"HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"}) {
    EXPECT_EQ(signature_algorithm_name(*parse_signature_algorithm(name)), name);
  }
  for (const char* name : {"none", "None", "NONE", "hs256", "RS512", "PS256", "ES384", ""}) {
    EXPECT_EQ(parse_signature_algorithm(name), std::nullopt) << name;
  }
}

TEST(Compare, OnlyTheSecretItself) {
  EXPECT_TRUE(equals_secret("secret", "secret"));
  EXPECT_TRUE(equals_secret("", ""));
  for (const char* given : {"", "secre", "secret ", "Secret", "secreT"}) EXPECT_FALSE(equals_secret(given, "secret"));
}

}  // namespace
}  // namespace dendro
