#include <thread>

#include "identity/credential_error.h"
#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

struct AuthenticatorTest : IdentityFixture {
  void SetUp() override { open(); }
  Authenticator& authenticator() { return parts->authenticator(); }
};

TEST_F(AuthenticatorTest, KnowsWhatItJudgedUntilSomethingChanges) {
  const MadeApiKey made = parts->keys().create(key_request()).value();
  EXPECT_EQ(authenticator().known(secret(made.key)), std::nullopt);
  const PrincipalPtr principal = authenticator().authenticate(secret(made.key)).value();
  EXPECT_EQ(authenticator().known(secret(made.key)), principal) << "the same object";
  EXPECT_EQ(authenticator().known(secret(made.key + "x")), std::nullopt);
  EXPECT_EQ(authenticator().known({Credential::Kind::session, made.key}), std::nullopt) << "as another kind";
  const std::uint64_t before = authenticator().generation();
  EXPECT_EQ(authenticator().generation(), before);
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "", {}, {}}).has_value());
  EXPECT_GT(authenticator().generation(), before);
  EXPECT_EQ(authenticator().known(secret(made.key)), std::nullopt);
}

TEST_F(AuthenticatorTest, RevocationByAnotherProcessHoldsForTheNextRequest) {
  const MadeApiKey key = parts->keys().create(key_request()).value();
  const MadeToken token = parts->tokens().create(token_request()).value();
  // Another process is another connection; this is how `dendro token revoke` works.
  const auto others_database = MetaDatabase::open(path, meta_schema()).value();
  ApiKeyTable others_keys(*others_database);
  TokenTable others_tokens(*others_database);
  for (const Credential& credential : {secret(key.key), secret(token.jwt)}) {
    ASSERT_TRUE(authenticator().authenticate(credential).has_value());
    ASSERT_NE(authenticator().known(credential), std::nullopt);
  }
  ASSERT_TRUE(others_tokens.revoke(token.row.jti, clock.now()).has_value());
  EXPECT_EQ(authenticator().known(secret(token.jwt)), std::nullopt);
  EXPECT_EQ(refusal(secret(token.jwt)), kRevokedTokenText);
  EXPECT_TRUE(authenticator().authenticate(secret(key.key)).has_value());
  ASSERT_TRUE(others_keys.revoke(key.row.id, clock.now()).has_value());
  EXPECT_EQ(authenticator().known(secret(key.key)), std::nullopt);
  EXPECT_EQ(refusal(secret(key.key)), kRevokedTokenText);
}

TEST_F(AuthenticatorTest, ExpiryNeedsNoChange) {
  const MadeToken token = parts->tokens().create(token_request()).value();
  ASSERT_TRUE(authenticator().authenticate(secret(token.jwt)).has_value());
  clock.advance(std::chrono::seconds(3'599));
  EXPECT_NE(authenticator().known(secret(token.jwt)), std::nullopt);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(authenticator().known(secret(token.jwt)), std::nullopt);
}

TEST_F(AuthenticatorTest, StreamsHearWhatEndsOrChanges) {
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "team:red", {}, {}}).has_value());
  const MadeToken token = parts->tokens().create(token_request({"red"})).value();
  const MadeToken other = parts->tokens().create(token_request()).value();
  const PrincipalPtr principal = authenticator().authenticate(secret(token.jwt)).value();
  EXPECT_TRUE(authenticator().still_holds(secret(token.jwt), *principal));
  ASSERT_TRUE(parts->tokens().revoke(other.row.jti).has_value());
  EXPECT_TRUE(authenticator().still_holds(secret(token.jwt), *principal)) << "another's end";
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "team:red and level:error", {}, {}}).has_value());
  EXPECT_FALSE(authenticator().still_holds(secret(token.jwt), *principal)) << "sees other records now";
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "team:red", {}, {"ip"}}).has_value());
  EXPECT_FALSE(authenticator().still_holds(secret(token.jwt), *principal));
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "team:red", {}, {}}).has_value());
  EXPECT_TRUE(authenticator().still_holds(secret(token.jwt), *principal));
  clock.advance(std::chrono::hours(1));
  EXPECT_FALSE(authenticator().still_holds(secret(token.jwt), *principal));
  clock.set_now(kStart);
  ASSERT_TRUE(parts->tokens().revoke(token.row.jti).has_value());
  EXPECT_FALSE(authenticator().still_holds(secret(token.jwt), *principal));
}

TEST_F(AuthenticatorTest, UsesOfKeysAreWrittenBehindTheRequests) {
  const MadeApiKey used = parts->keys().create(key_request()).value();
  const MadeApiKey unused = parts->keys().create(key_request()).value();
  ASSERT_TRUE(authenticator().authenticate(secret(used.key)).has_value());
  clock.advance(std::chrono::seconds(30));
  ASSERT_NE(authenticator().known(secret(used.key)), std::nullopt);
  EXPECT_EQ(parts->keys().find(used.row.id).value()->last_used, Timestamp(0)) << "not by the request";
  const std::uint64_t before = authenticator().generation();
  ASSERT_TRUE(parts->write_last_uses().has_value());
  EXPECT_EQ(parts->keys().find(used.row.id).value()->last_used, clock.now());
  EXPECT_EQ(parts->keys().find(unused.row.id).value()->last_used, Timestamp(0));
  EXPECT_EQ(authenticator().generation(), before);
  EXPECT_NE(authenticator().known(secret(used.key)), std::nullopt) << "what is known stays known";
}

TEST_F(AuthenticatorTest, TheThreadWritesUsesWhenItEnds) {
  const MadeApiKey used = parts->keys().create(key_request()).value();
  parts->start();
  ASSERT_TRUE(authenticator().authenticate(secret(used.key)).has_value());
  parts->stop();
  EXPECT_EQ(parts->keys().find(used.row.id).value()->last_used, kStart);
  parts->stop();
}

TEST_F(AuthenticatorTest, AStoreThatCannotBeReadOpensNothing) {
  const MadeApiKey made = parts->keys().create(key_request()).value();
  ASSERT_TRUE(authenticator().authenticate(secret(made.key)).has_value());
  ASSERT_TRUE(database->transact([](MetaTransaction& meta) { return meta.change("DROP TABLE api_keys"); }).has_value());
  ASSERT_TRUE(
      database->transact([](MetaTransaction& meta) { return meta.change("DROP TABLE identity_version"); }).has_value());
  EXPECT_EQ(authenticator().known(secret(made.key)), std::nullopt);
  EXPECT_EQ(authenticator().authenticate(secret(made.key)).error().code(), ErrorCode::internal);
  EXPECT_NE(authenticator().generation(), authenticator().generation());
}

TEST_F(AuthenticatorTest, AuthIsOnOnceAnybodyCanBeAsked) {
  EXPECT_TRUE(parts->is_auth_configured()) << "by the secret";
  settings.secret_key.clear();
  reopen();
  EXPECT_FALSE(parts->is_auth_configured());
  const auto others_database = MetaDatabase::open(path, meta_schema()).value();
  ASSERT_TRUE(
      ApiKeyTable(*others_database).insert({"k1", "", "", {"shop"}, {}, {}, "", kStart, {}, kStart, {}}).has_value());
  EXPECT_TRUE(parts->is_auth_configured()) << "at once, a revoked key too";
  ASSERT_TRUE(
      others_database->transact([](MetaTransaction& meta) { return meta.change("DELETE FROM api_keys"); }).has_value());
  EXPECT_TRUE(parts->is_auth_configured()) << "stays on";
  reopen();
  EXPECT_FALSE(parts->is_auth_configured());
}

TEST_F(AuthenticatorTest, ThreadsMayCallTogether) {
  std::vector<std::string> keys;
  for (int i = 0; i < 4; ++i) keys.push_back(parts->keys().create(key_request())->key);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const Credential credential = secret(keys[static_cast<std::size_t>(i + t) % 4]);
        if (!authenticator().known(credential)) EXPECT_TRUE(authenticator().authenticate(credential).has_value());
        if (i % 50 == 0) EXPECT_TRUE(parts->roles().put({"r", {Permission::search}, "", {}, {}}).has_value());
      }
    });
  }
}

TEST(CredentialCache, ForgetsTheOneUnusedLongest) {
  CredentialCache cache(2);
  const auto digest = [](const char* text) { return digest_of({Credential::Kind::secret, text}); };
  const auto entry = [] {
    KnownCredential known;
    known.principal = std::make_shared<const Principal>();
    known.generation = 7;
    return known;
  };
  cache.insert(digest("a"), entry());
  cache.insert(digest("b"), entry());
  EXPECT_TRUE(cache.find(digest("a"), 7, Timestamp(0), 0).has_value());
  cache.insert(digest("c"), entry());
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_FALSE(cache.find(digest("b"), 7, Timestamp(0), 0).has_value());
  EXPECT_TRUE(cache.find(digest("a"), 7, Timestamp(0), 0).has_value());
  EXPECT_FALSE(cache.find(digest("a"), 8, Timestamp(0), 0).has_value());
  EXPECT_EQ(cache.size(), 1u) << "what is worth nothing goes";
}

TEST(CredentialCache, SessionsStayWhileTheyAreUsed) {
  CredentialCache cache(2);
  const CredentialDigest digest = digest_of({Credential::Kind::session, "s"});
  KnownCredential known;
  known.principal = std::make_shared<const Principal>();
  known.session_id = "s1";
  known.idle_end = Timestamp(10);
  cache.insert(digest, known);
  EXPECT_EQ(cache.find(digest, 0, Timestamp(9), 10)->idle_end, Timestamp(19));
  EXPECT_TRUE(cache.find(digest, 0, Timestamp(18), 10).has_value());
  EXPECT_FALSE(cache.find(digest, 0, Timestamp(28), 10).has_value());
}

TEST(LastUses, AreBoundedAndTakenOnce) {
  LastUses uses;
  for (std::size_t i = 0; i <= LastUses::kIdsMax; ++i) uses.note(std::to_string(i), Timestamp(1));
  uses.note("0", Timestamp(2));
  const auto taken = uses.take();
  EXPECT_EQ(taken.size(), LastUses::kIdsMax);
  EXPECT_EQ(taken.at("0"), Timestamp(2));
  EXPECT_TRUE(uses.take().empty());
}

}  // namespace
}  // namespace dendro
