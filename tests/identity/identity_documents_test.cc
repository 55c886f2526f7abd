#include "identity/identity_documents.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000'000};

TEST(IdentityDocuments, ShowKeysWithoutTheirHash) {
  const ApiKeyRow row{"k1", "hash", "agent", {"shop", "*"}, {"ingest"}, {"red"}, "CN=a", kNow, Timestamp(0), {}, kNow};
  std::string text;
  append_api_key(text, row, kNow);
  EXPECT_EQ(text,
            R"({"id":"k1","name":"agent","prefix":"dk_k1","tenants":["shop","*"],"scopes":["ingest"],"roles":["red"],)"
            R"("certificate":"CN=a","state":"active","created_at":"2026-09-21T14:13:20Z",)"
            R"("last_used_at":"2026-09-21T14:13:20Z","expires_at":null})");
}

TEST(IdentityDocuments, TellStatesOfTokens) {
  const auto shown = [](Timestamp expires, Timestamp revoked) {
    std::string text;
    append_token(text, {"j1", "sue", {"shop"}, {"reader"}, kNow, expires, revoked}, kNow);
    return text;
  };
  EXPECT_EQ(shown(Timestamp(kNow.number() + 1), Timestamp(0)),
            R"({"jti":"j1","subject":"sue","tenant_ids":["shop"],"roles":["reader"],"state":"active",)"
            R"("created_at":"2026-09-21T14:13:20Z","expires_at":"2026-09-21T14:13:20Z","revoked_at":null})");
  EXPECT_NE(shown(kNow, Timestamp(0)).find(R"("state":"expired")"), std::string::npos);
  EXPECT_NE(shown(kNow, kNow).find(R"("state":"revoked")"), std::string::npos);
}

TEST(IdentityDocuments, TellStatesOfUsers) {
  UserRow row{"u1", "sue", "hash", {{"shop", {"reader", "x"}}, {"*", {"admin"}}}, false, kNow, Timestamp(0)};
  const auto shown = [&](std::optional<Timestamp> locked_until) {
    std::string text;
    append_user(text, row, locked_until);
    return text;
  };
  EXPECT_EQ(shown(std::nullopt), R"({"id":"u1","email":"sue","grants":[{"tenant":"shop","roles":["reader","x"]},)"
                                 R"({"tenant":"*","roles":["admin"]}],"state":"active","locked_until":null,)"
                                 R"("created_at":"2026-09-21T14:13:20Z","last_sign_in_at":null})");
  EXPECT_NE(shown(kNow).find(R"("state":"locked","locked_until":"2026-09-21T14:13:20Z")"), std::string::npos);
  row.is_disabled = true;
  EXPECT_NE(shown(kNow).find(R"("state":"disabled")"), std::string::npos);
}

TEST(IdentityDocuments, ShowSessionsWithoutTheirHash) {
  std::string text;
  append_session(text, {"s1", "hash", "user", "u1", "", "192.0.2.7", kNow, kNow, kNow});
  EXPECT_EQ(text, R"({"id":"s1","peer":"192.0.2.7","created_at":"2026-09-21T14:13:20Z",)"
                  R"("last_used_at":"2026-09-21T14:13:20Z","expires_at":"2026-09-21T14:13:20Z"})");
}

}  // namespace
}  // namespace dendro
