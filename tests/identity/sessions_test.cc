#include "identity/sessions.h"

#include "identity/credential_error.h"
#include "tests/identity/identity_fixture.h"
#include "tests/identity/jwt/token_forge.h"

namespace dendro {
namespace {

const std::string kPassword = "correct horse battery";

struct SessionsTest : IdentityFixture {
  void SetUp() override {
    open();
    user = parts->users().create("sue@example.org", kPassword, {{"shop", {"reader"}}}).value();
  }
  Sessions& sessions() { return parts->sessions(); }
  static Credential cookie(const std::string& text) { return {Credential::Kind::session, text}; }
  UserRow user;
};

TEST_F(SessionsTest, StandForTheirUser) {
  const OpenedSession opened = sessions().open_for_user(user.id, "192.0.2.7").value();
  EXPECT_EQ(opened.secret.size(), 43u);
  const PrincipalPtr principal = parts->authenticator().authenticate(cookie(opened.secret)).value();
  EXPECT_EQ(principal->kind, Principal::Kind::user);
  EXPECT_EQ(principal->id, "user:" + user.id);
  EXPECT_EQ(principal->token_id, opened.row.id);
  EXPECT_EQ(principal->expires, Timestamp(kStart.number() + 12 * 3'600 * kNanosPerSecond));
  EXPECT_NE(parts->authenticator().known(cookie(opened.secret)), std::nullopt);
  EXPECT_EQ(refusal(secret(opened.secret)), kBadCredentialText) << "a cookie's value is no bearer token";
  const auto listed = sessions().list_of_user(user.id).value();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].peer, "192.0.2.7");
  EXPECT_EQ(listed[0].secret_hash.find(opened.secret), std::string::npos);
}

TEST_F(SessionsTest, OtherTextsAreRefused) {
  const OpenedSession opened = sessions().open_for_user(user.id, "").value();
  std::string flipped = opened.secret;
  flipped[20] = flipped[20] == 'a' ? 'b' : 'a';
  for (const std::string& text : {std::string(), flipped, opened.secret + "x", opened.row.id, opened.row.secret_hash}) {
    EXPECT_EQ(refusal(cookie(text)), kBadCredentialText) << text;
  }
}

TEST_F(SessionsTest, EndAtSignOut) {
  const OpenedSession opened = sessions().open_for_user(user.id, "").value();
  const OpenedSession other = sessions().open_for_user(user.id, "").value();
  ASSERT_TRUE(parts->authenticator().authenticate(cookie(opened.secret)).has_value());
  ASSERT_TRUE(sessions().end(opened.secret).has_value());
  EXPECT_EQ(parts->authenticator().known(cookie(opened.secret)), std::nullopt);
  EXPECT_EQ(refusal(cookie(opened.secret)), kBadCredentialText);
  EXPECT_TRUE(sessions().end(opened.secret).has_value()) << "twice is fine";
  EXPECT_TRUE(sessions().end("no session").has_value());
  EXPECT_TRUE(parts->authenticator().authenticate(cookie(other.secret)).has_value());
  ASSERT_TRUE(sessions().end_id(other.row.id).has_value());
  EXPECT_EQ(refusal(cookie(other.secret)), kBadCredentialText);
  EXPECT_EQ(sessions().end_id(other.row.id).error().code(), ErrorCode::not_found);
}

TEST_F(SessionsTest, EndAfterTwelveHoursHoweverUsed) {
  const OpenedSession opened = sessions().open_for_user(user.id, "").value();
  for (int hour = 0; hour < 12; ++hour) {
    EXPECT_TRUE(parts->authenticator().authenticate(cookie(opened.secret)).has_value()) << hour;
    ASSERT_TRUE(parts->write_last_uses().has_value());
    clock.advance(std::chrono::hours(1));
  }
  EXPECT_EQ(parts->authenticator().known(cookie(opened.secret)), std::nullopt);
  EXPECT_EQ(refusal(cookie(opened.secret)), kExpiredTokenText);
}

TEST_F(SessionsTest, EndUnusedButNotWhileTheyAreUsed) {
  const OpenedSession used = sessions().open_for_user(user.id, "").value();
  const OpenedSession unused = sessions().open_for_user(user.id, "").value();
  for (const OpenedSession* const session : {&used, &unused}) {
    ASSERT_TRUE(parts->authenticator().authenticate(cookie(session->secret)).has_value());
  }
  clock.advance(std::chrono::hours(3));
  ASSERT_NE(parts->authenticator().known(cookie(used.secret)), std::nullopt);
  ASSERT_TRUE(parts->write_last_uses().has_value());
  clock.advance(std::chrono::hours(1));
  EXPECT_NE(parts->authenticator().known(cookie(used.secret)), std::nullopt);
  EXPECT_EQ(parts->authenticator().known(cookie(unused.secret)), std::nullopt);
  EXPECT_EQ(refusal(cookie(unused.secret)), kExpiredTokenText);
  ASSERT_TRUE(parts->roles().put({"r", {Permission::search}, "", {}, {}}).has_value()) << "the store must know it too";
  EXPECT_TRUE(parts->authenticator().authenticate(cookie(used.secret)).has_value());
}

TEST_F(SessionsTest, EndWithTheirUser) {
  const auto open_one = [&] { return sessions().open_for_user(user.id, "").value().secret; };
  std::string session = open_one();
  ASSERT_TRUE(parts->users().set_grants(user.id, {{"bank", {"writer"}}}).has_value());
  const PrincipalPtr principal = parts->authenticator().authenticate(cookie(session)).value();
  EXPECT_EQ(principal->access_to(tenant("shop")), nullptr) << "grants are those of now";
  ASSERT_TRUE(parts->users().set_disabled(user.id, true).has_value());
  EXPECT_EQ(refusal(cookie(session)), kBadCredentialText);
  EXPECT_EQ(sessions().open_for_user(user.id, "").error().code(), ErrorCode::unauthenticated);
  ASSERT_TRUE(parts->users().set_disabled(user.id, false).has_value());
  session = open_one();
  ASSERT_TRUE(parts->users().set_password(user.id, "another horse battery").has_value());
  EXPECT_EQ(refusal(cookie(session)), kBadCredentialText);
  session = open_one();
  ASSERT_TRUE(parts->users().remove(user.id).has_value());
  EXPECT_EQ(refusal(cookie(session)), kBadCredentialText);
}

TEST_F(SessionsTest, OfAKeyOrTokenEndWithIt) {
  ApiKeyRequest request = key_request({"search"});
  request.expires = Timestamp(kStart.number() + 3'600 * kNanosPerSecond);
  const MadeApiKey key = parts->keys().create(request).value();
  const MadeToken token = parts->tokens().create(token_request()).value();
  const OpenedSession by_key = sessions().open_with(key.key, "").value();
  const OpenedSession by_token = sessions().open_with(token.jwt, "").value();
  const PrincipalPtr principal = parts->authenticator().authenticate(cookie(by_key.secret)).value();
  EXPECT_EQ(principal->id, "key:" + key.row.id);
  EXPECT_EQ(principal->token_id, by_key.row.id);
  EXPECT_EQ(principal->expires, request.expires) << "no longer than the key";
  EXPECT_EQ(parts->authenticator().authenticate(cookie(by_token.secret)).value()->id, "token:" + token.row.jti);
  ASSERT_TRUE(parts->keys().revoke(key.row.id).has_value());
  ASSERT_TRUE(parts->tokens().revoke(token.row.jti).has_value());
  EXPECT_EQ(refusal(cookie(by_key.secret)), kRevokedTokenText);
  EXPECT_EQ(refusal(cookie(by_token.secret)), kRevokedTokenText);
  for (const char* bad : {"", "dk_nothing", "a.b.c"}) {
    EXPECT_EQ(sessions().open_with(bad, "").error().code(), ErrorCode::unauthenticated) << bad;
  }
}

TEST_F(SessionsTest, OfAnotherIssuersTokenOutliveItButNotTheIssuer) {
  const TestIssuer& issuer = TestIssuer::instance();
  IssuerSettings one;
  one.issuer = "https://issuer.example";
  one.audience = "dendro";
  one.keys_file = folder.write("keys.json", issuer.jwks());
  settings.issuers = {one};
  reopen();
  const std::string token = forge_token(
      R"({"alg":"EdDSA","kid":"d1"})",
      R"({"iss":"https://issuer.example","aud":"dendro","sub":"eve","exp":1790000600,"tenant_ids":["shop","bank"],)"
      R"("roles":["reader"]})",
      issuer.eddsa);
  const OpenedSession opened = sessions().open_with(token, "").value();
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(refusal(secret(token)), kExpiredTokenText);
  const PrincipalPtr principal = parts->authenticator().authenticate(cookie(opened.secret)).value();
  EXPECT_EQ(principal->id, "sub:https://issuer.example|eve");
  EXPECT_EQ(principal->expires, opened.row.expires);
  EXPECT_NE(principal->access_to(tenant("bank")), nullptr);
  settings.issuers[0].tenants_max = {"shop"};
  reopen();
  EXPECT_EQ(parts->authenticator().authenticate(cookie(opened.secret)).value()->access_to(tenant("bank")), nullptr);
  settings.issuers.clear();
  reopen();
  EXPECT_EQ(refusal(cookie(opened.secret)), kBadCredentialText);
}

}  // namespace
}  // namespace dendro
