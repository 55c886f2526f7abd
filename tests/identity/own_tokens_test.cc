#include "identity/own_tokens.h"

#include "base/base64.h"
#include "identity/credential_error.h"
#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

struct OwnTokensTest : IdentityFixture {
  void SetUp() override { open(); }
  OwnTokens& tokens() { return parts->tokens(); }
  Result<PrincipalPtr> authenticate(const std::string& jwt) { return parts->authenticator().authenticate(secret(jwt)); }
  void sql(std::string_view text) {
    ASSERT_TRUE(database->transact([&](MetaTransaction& meta) { return meta.change(text); }).has_value());
  }
};

TEST_F(OwnTokensTest, SayWhatTheirRowSays) {
  const MadeToken made = tokens().create({{"shop", "bank"}, {"reader", "writer"}, "sue", std::nullopt}).value();
  const std::size_t first = made.jwt.find('.') + 1;
  const auto claims = parse_json_document(*decode_base64url(made.jwt.substr(first, made.jwt.rfind('.') - first)));
  std::string text;
  append_json(text, *claims);
  EXPECT_EQ(text, "{\"jti\":\"" + made.row.jti +
                      "\",\"sub\":\"sue\",\"tenant_ids\":[\"shop\",\"bank\"],\"roles\":[\"reader\",\"writer\"],"
                      "\"iat\":1790000000,\"exp\":1790003600}");
  const PrincipalPtr principal = authenticate(made.jwt).value();
  EXPECT_EQ(principal->kind, Principal::Kind::token);
  EXPECT_EQ(principal->id, "token:" + made.row.jti);
  EXPECT_EQ(principal->name, "sue");
  EXPECT_EQ(principal->token_id, made.row.jti);
  EXPECT_EQ(principal->expires, Timestamp(1'790'003'600 * kNanosPerSecond));
  ASSERT_NE(principal->access_to(tenant("bank")), nullptr);
  EXPECT_TRUE(principal->access_to(tenant("bank"))->permissions.has(Permission::ingest));
  EXPECT_EQ(principal->access_to(tenant("other")), nullptr);
}

TEST_F(OwnTokensTest, WhatIsStoredWins) {
  const MadeToken made = tokens().create(token_request({"admin"})).value();
  sql(R"(UPDATE tokens SET tenants = '["bank"]', roles = '["reader"]', expires = expires - 1000000000)");
  const PrincipalPtr principal = authenticate(made.jwt).value();
  EXPECT_EQ(principal->access_to(tenant("shop")), nullptr);
  EXPECT_FALSE(principal->access_to(tenant("bank"))->permissions.has(Permission::admin));
  EXPECT_EQ(principal->expires, Timestamp(1'790'003'599 * kNanosPerSecond));
  sql("UPDATE tokens SET expires = expires + 9000000000");
  EXPECT_EQ(authenticate(made.jwt).value()->expires, Timestamp(1'790'003'600 * kNanosPerSecond)) << "the earlier";
}

TEST_F(OwnTokensTest, EndWithTheirTexts) {
  const MadeToken revoked = tokens().create(token_request()).value();
  ASSERT_TRUE(tokens().revoke(revoked.row.jti).has_value());
  EXPECT_EQ(refusal(secret(revoked.jwt)), kRevokedTokenText);

  const MadeToken unknown = tokens().create(token_request()).value();
  sql("DELETE FROM tokens WHERE jti = '" + unknown.row.jti + "'");
  EXPECT_EQ(refusal(secret(unknown.jwt)), kUnknownTokenText);

  const MadeToken shortened = tokens().create(token_request()).value();
  sql("UPDATE tokens SET expires = 1 WHERE jti = '" + shortened.row.jti + "'");
  EXPECT_EQ(refusal(secret(shortened.jwt)), kExpiredTokenText);

  const MadeToken expired = tokens().create(token_request()).value();
  clock.advance(std::chrono::seconds(3'599));
  EXPECT_TRUE(authenticate(expired.jwt).has_value());
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(refusal(secret(expired.jwt)), kExpiredTokenText) << "no allowance for clocks: there is one";
  EXPECT_EQ(tokens().revoke("nosuch").error().code(), ErrorCode::not_found);
}

TEST_F(OwnTokensTest, AreSignedWithEachAlgorithmAndTakenWithItsOwnOnly) {
  std::vector<std::string> made;
  constexpr SignatureAlgorithm kAll[] = {SignatureAlgorithm::hs256, SignatureAlgorithm::hs384,
                                         SignatureAlgorithm::hs512};
  for (const SignatureAlgorithm algorithm : kAll) {
    settings.algorithm = algorithm;
    reopen();
    made.push_back(tokens().create(token_request())->jwt);
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    settings.algorithm = kAll[i];
    reopen();
    for (std::size_t j = 0; j < made.size(); ++j) EXPECT_EQ(authenticate(made[j]).has_value(), i == j) << i << j;
  }
}

TEST_F(OwnTokensTest, AnOldSecretIsTakenWhileItIsNamed) {
  const std::string jwt = tokens().create(token_request())->jwt;
  settings.secret_key_previous = settings.secret_key;
  settings.secret_key = "another secret of more than 32 bytes!";
  reopen();
  EXPECT_TRUE(authenticate(jwt).has_value());
  const std::string newer = tokens().create(token_request())->jwt;
  settings.secret_key_previous.clear();
  reopen();
  EXPECT_EQ(refusal(secret(jwt)), kBadCredentialText);
  EXPECT_TRUE(authenticate(newer).has_value());
}

TEST_F(OwnTokensTest, WithoutASecretThereAreNone) {
  const std::string jwt = tokens().create(token_request())->jwt;
  settings.secret_key.clear();
  reopen();
  EXPECT_EQ(refusal(secret(jwt)), kBadCredentialText);
  EXPECT_EQ(tokens().create(token_request()).error().message(), "no token can be signed: SECRET_KEY is not set");
}

TEST_F(OwnTokensTest, WrongRequestsNameTheirFault) {
  const auto fault = [&](const std::function<void(TokenRequest&)>& change) {
    TokenRequest request = token_request();
    change(request);
    const auto made = tokens().create(request);
    return made ? std::string("taken") : made.error().message();
  };
  EXPECT_NE(fault([](TokenRequest& r) { r.tenants = {}; }).find("tenants:"), std::string::npos);
  EXPECT_NE(fault([](TokenRequest& r) { r.roles = {}; }).find("roles:"), std::string::npos);
  EXPECT_NE(fault([](TokenRequest& r) { r.roles = {"nobody"}; }).find("\"nobody\""), std::string::npos);
  EXPECT_NE(fault([](TokenRequest& r) { r.subject = ""; }).find("subject:"), std::string::npos);
  EXPECT_NE(fault([](TokenRequest& r) { r.subject = std::string(129, 's'); }).find("subject:"), std::string::npos);
  EXPECT_EQ(fault([](TokenRequest& r) { r.subject = std::string(128, 's'); }), "taken");
  EXPECT_NE(fault([](TokenRequest& r) { r.lifetime = std::chrono::seconds(0); }).find("lifetime:"), std::string::npos);
  EXPECT_NE(fault([](TokenRequest& r) { r.lifetime = std::chrono::hours(24 * 3'651); }).find("lifetime:"),
            std::string::npos);
  EXPECT_NE(fault([](TokenRequest& r) { r.tenants.assign(100, std::string(100, 't')); }).find("fewer tenants"),
            std::string::npos);
}

TEST_F(OwnTokensTest, WeakSecretsStartNothing) {
  for (const char* weak : {"short", "dev_secret_key_change_in_production", "0123456789012345678901234567890"}) {
    settings.secret_key = weak;
    const auto opened = IdentityParts::open(settings, from());
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(opened.error().message().find(weak), std::string::npos) << "a secret is never told";
  }
}

}  // namespace
}  // namespace dendro
