// Tables of identity over a real database: what they store, their limits, and when identity_version goes up.
#include <gtest/gtest.h>

#include "meta/api_key_table.h"
#include "meta/meta_probe.h"
#include "meta/meta_schema.h"
#include "meta/role_table.h"
#include "meta/session_table.h"
#include "meta/sign_in_failure_table.h"
#include "meta/text_list.h"
#include "meta/token_table.h"
#include "meta/user_table.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000'000};

Timestamp later(std::chrono::nanoseconds span) {
  return Timestamp(kNow.number() + span.count());
}

struct IdentityTables : testing::Test {
  TemporaryFolder folder;
  std::string path = folder.path("meta.db");
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(path, meta_schema()).value();
  std::unique_ptr<MetaProbe> probe = MetaProbe::open(path, "SELECT version FROM identity_version").value();
  RoleTable roles{*database};
  TokenTable tokens{*database};
  ApiKeyTable keys{*database};
  UserTable users{*database};
  SessionTable sessions{*database};
  SignInFailureTable failures{*database};

  /// How often identity_version went up during `change`.
  template <typename Change>
  std::int64_t counted(Change change) {
    const std::int64_t before = probe->read().value();
    const Status status = change();
    EXPECT_TRUE(status.has_value()) << status.error().message();
    return probe->read().value() - before;
  }
  void sql(std::string_view text) {
    const auto done = database->transact([&](MetaTransaction& meta) { return meta.change(text); });
    ASSERT_TRUE(done.has_value()) << done.error().message();
  }
};

ApiKeyRow key_row(const std::string& id, std::vector<std::string> tenants = {"shop"}) {
  ApiKeyRow row;
  row.id = id;
  row.secret_hash = "aa";
  row.name = "key " + id;
  row.tenants = std::move(tenants);
  row.scopes = {"ingest"};
  row.created = kNow;
  return row;
}

SessionRow session_row(const std::string& id, const std::string& subject) {
  return {id, "hash-" + id, "user", subject, "", "127.0.0.1", kNow, later(std::chrono::hours(12)), kNow};
}

TEST(TextList, GoesBothWaysAndSaysWhatIsNone) {
  for (const std::vector<std::string>& list :
       {std::vector<std::string>{}, {"a"}, {"a", "b\"c", ""}, {"*", "\xe2\x82\xac"}}) {
    EXPECT_EQ(decode_text_list(encode_text_list(list)).value(), list);
  }
  for (const char* damaged : {"", "a", "{}", "[1]", "[\"a\""}) {
    EXPECT_EQ(decode_text_list(damaged).error().code(), ErrorCode::corruption) << damaged;
  }
}

TEST_F(IdentityTables, RolesAreMadeReplacedAndRemoved) {
  EXPECT_EQ(counted([&] { return roles.put({"b", {"search"}, "team:b", {"email"}, {"ip"}, kNow}); }), 1);
  EXPECT_EQ(counted([&] { return roles.put({"a", {"stats"}, "", {}, {}, kNow}); }), 1);
  EXPECT_EQ(counted([&] { return roles.put({"b", {"search", "stream"}, "", {}, {}, later(std::chrono::hours(1))}); }),
            1);
  const auto all = roles.list().value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(roles.find("b").value()->permissions, (std::vector<std::string>{"search", "stream"}));
  EXPECT_EQ(roles.find("b").value()->hidden_fields, std::vector<std::string>());
  EXPECT_EQ(roles.find("c").value(), std::nullopt);
  EXPECT_EQ(counted([&] { return roles.remove("b"); }), 1);
  EXPECT_EQ(roles.remove("b").error().code(), ErrorCode::not_found);
}

TEST_F(IdentityTables, RolesAreBounded) {
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
      "INSERT INTO roles SELECT 'r' || i, '[]', '', '[]', '[]', 0 FROM n");
  EXPECT_EQ(roles.put({"one-more", {}, "", {}, {}, kNow}).error().code(), ErrorCode::resource_exhausted);
  EXPECT_TRUE(roles.put({"r7", {"search"}, "", {}, {}, kNow}).has_value()) << "replacing needs no room";
}

TEST_F(IdentityTables, TokensAreKeptUntilLongAfterTheirEnd) {
  const TokenRow row{"j1", "sue", {"shop", "*"}, {"reader"}, kNow, later(std::chrono::hours(1)), Timestamp(0)};
  EXPECT_EQ(counted([&] { return tokens.insert(row); }), 1);
  EXPECT_EQ(tokens.insert(row).error().code(), ErrorCode::already_exists);
  const TokenRow found = *tokens.find("j1").value();
  EXPECT_EQ(found.tenants, row.tenants);
  EXPECT_EQ(found.expires, row.expires);
  EXPECT_EQ(tokens.find("j2").value(), std::nullopt);
  EXPECT_EQ(counted([&] { return tokens.revoke("j1", kNow); }), 1);
  EXPECT_EQ(counted([&] { return tokens.revoke("j1", later(std::chrono::hours(1))); }), 0);
  EXPECT_EQ(tokens.find("j1").value()->revoked, kNow) << "the first time counts";
  EXPECT_EQ(tokens.revoke("j2", kNow).error().code(), ErrorCode::not_found);
  const Timestamp end{row.expires.number() + TokenTable::kKeptAfterExpiryNs};
  ASSERT_TRUE(tokens.insert({"j2", "sue", {}, {}, end, end, Timestamp(0)}).has_value());
  EXPECT_NE(tokens.find("j1").value(), std::nullopt);
  ASSERT_TRUE(tokens.insert({"j3", "sue", {}, {}, Timestamp(end.number() + 1), end, Timestamp(0)}).has_value());
  EXPECT_EQ(tokens.find("j1").value(), std::nullopt);
}

TEST_F(IdentityTables, TokensAreListedByPageAndTenant) {
  for (int i = 0; i < 5; ++i) {
    const std::vector<std::string> tenants =
        i % 2 == 0 ? std::vector<std::string>{"shop"} : std::vector<std::string>{"bank", "shop \"2\""};
    const Timestamp created = later(std::chrono::seconds(i / 2));  // equal times: the jti decides
    ASSERT_TRUE(tokens.insert({"j" + std::to_string(i), "", tenants, {}, created, later(std::chrono::hours(1)), {}})
                    .has_value());
  }
  const auto names = [](const std::vector<TokenRow>& rows) {
    std::string text;
    for (const TokenRow& row : rows) text += row.jti + " ";
    return text;
  };
  EXPECT_EQ(names(tokens.list("", "", 10).value()), "j4 j3 j2 j1 j0 ");
  EXPECT_EQ(names(tokens.list("", "", 2).value()), "j4 j3 ");
  EXPECT_EQ(names(tokens.list("", "j3", 2).value()), "j2 j1 ");
  EXPECT_EQ(names(tokens.list("shop", "", 10).value()), "j4 j2 j0 ");
  EXPECT_EQ(names(tokens.list("shop \"2\"", "j3", 10).value()), "j1 ");
  EXPECT_EQ(names(tokens.list("sho", "", 10).value()), "");
}

TEST_F(IdentityTables, TokensAreBounded) {
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
      "INSERT INTO tokens SELECT 't' || i, '', '[]', '[]', 0, 9000000000000000000, 0 FROM n");
  EXPECT_EQ(tokens.insert({"one-more", "", {}, {}, kNow, kNow, {}}).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(IdentityTables, KeysAreFoundByIdAndCertificate) {
  ApiKeyRow row = key_row("k1");
  row.certificate = "CN=agent";
  EXPECT_EQ(counted([&] { return keys.insert(row); }), 1);
  EXPECT_EQ(keys.find("k1").value()->name, "key k1");
  EXPECT_EQ(keys.find_by_certificate("CN=agent").value()->id, "k1");
  EXPECT_EQ(keys.find_by_certificate("").value(), std::nullopt);
  row.id = "k2";
  EXPECT_EQ(keys.insert(row).error().code(), ErrorCode::already_exists);
  EXPECT_EQ(counted([&] { return keys.revoke("k1", kNow); }), 1);
  EXPECT_EQ(counted([&] { return keys.revoke("k1", later(std::chrono::hours(1))); }), 0);
  EXPECT_EQ(keys.find("k1").value()->revoked, kNow);
  EXPECT_EQ(keys.find_by_certificate("CN=agent").value(), std::nullopt);
  EXPECT_TRUE(keys.insert(row).has_value()) << "the certificate is free again";
  EXPECT_EQ(keys.revoke("k9", kNow).error().code(), ErrorCode::not_found);
}

TEST_F(IdentityTables, UsesOfKeysChangeNobodysRights) {
  ASSERT_TRUE(keys.insert(key_row("k1")).has_value());
  EXPECT_EQ(counted([&] { return keys.set_last_used({{"k1", later(std::chrono::seconds(9))}, {"gone", kNow}}); }), 0);
  EXPECT_EQ(counted([&] { return keys.set_last_used({{"k1", kNow}}); }), 0);
  EXPECT_EQ(keys.find("k1").value()->last_used, later(std::chrono::seconds(9))) << "never goes back";
}

TEST_F(IdentityTables, KeysOfATenantAreBoundedAndDeadOnesMakeRoom) {
  for (std::size_t i = 0; i < ApiKeyTable::kPerTenantMax; ++i) {
    ApiKeyRow row = key_row("k" + std::to_string(i));
    row.created = later(std::chrono::seconds(i));
    if (i == 7) row.expires = later(std::chrono::hours(1));
    ASSERT_TRUE(keys.insert(row).has_value());
  }
  EXPECT_EQ(keys.list("shop").value().size(), ApiKeyTable::kPerTenantMax);
  EXPECT_EQ(keys.insert(key_row("x", {"bank", "shop"})).error().code(), ErrorCode::resource_exhausted);
  EXPECT_TRUE(keys.insert(key_row("y", {"bank"})).has_value());
  ApiKeyRow late = key_row("z");
  late.created = later(std::chrono::hours(1));
  EXPECT_TRUE(keys.insert(late).has_value()) << "k7 has expired";
  EXPECT_EQ(keys.find("k7").value(), std::nullopt);
  ASSERT_TRUE(keys.revoke("k3", kNow).has_value());
  EXPECT_TRUE(keys.insert(key_row("x", {"bank", "shop"})).has_value());
  EXPECT_EQ(keys.find("k3").value(), std::nullopt);
  EXPECT_EQ(keys.list("bank").value().size(), 2u);
  EXPECT_EQ(keys.list("").value().size(), ApiKeyTable::kPerTenantMax + 1);
}

TEST_F(IdentityTables, UsersHaveGrantsAndOneAddressEach) {
  const UserRow row{"u1", "sue@example.org", "$hash", {{"shop", {"reader", "x"}}, {"*", {"auditor"}}}, false, kNow, {}};
  EXPECT_EQ(counted([&] { return users.insert(row); }), 1);
  const Status twice = users.insert({"u2", "sue@example.org", "", {}, false, kNow, {}});
  EXPECT_EQ(twice.error().code(), ErrorCode::already_exists);
  EXPECT_EQ(twice.error().message(), "there is a user \"sue@example.org\" already");
  const UserRow found = *users.find_by_email("sue@example.org").value();
  ASSERT_EQ(found.grants.size(), 2u);
  EXPECT_EQ(found.grants[0].roles, (std::vector<std::string>{"reader", "x"}));
  EXPECT_EQ(found.grants[1].tenant, "*");
  EXPECT_EQ(counted([&] { return users.set_grants("u1", {{"bank", {"admin"}}}); }), 1);
  EXPECT_EQ(users.list("bank").value().size(), 1u);
  EXPECT_EQ(users.list("shop").value().size(), 0u);
  EXPECT_EQ(users.list("").value().size(), 1u);
  EXPECT_EQ(counted([&] { return users.set_last_sign_in("u1", kNow); }), 0);
  EXPECT_EQ(counted([&] { return users.remove("u1"); }), 1);
  for (const Status& status : {users.remove("u1"), users.set_password("u1", "x"), users.set_disabled("u1", true),
                               users.set_grants("u1", {}), users.set_last_sign_in("u1", kNow)}) {
    EXPECT_EQ(status.error().code(), ErrorCode::not_found);
  }
}

TEST_F(IdentityTables, WhatTakesRightsEndsSessions) {
  const auto open_sessions = [&] { return sessions.list("user", "u1").value().size(); };
  ASSERT_TRUE(users.insert({"u1", "sue", "", {}, false, kNow, {}}).has_value());
  ASSERT_TRUE(sessions.insert(session_row("other", "u2")).has_value());
  EXPECT_EQ(counted([&] { return sessions.insert(session_row("s1", "u1")); }), 0);
  EXPECT_EQ(counted([&] { return users.set_password("u1", "$new"); }), 2);
  EXPECT_EQ(open_sessions(), 0u);
  ASSERT_TRUE(sessions.insert(session_row("s1", "u1")).has_value());
  EXPECT_EQ(counted([&] { return users.set_disabled("u1", true); }), 2);
  EXPECT_EQ(open_sessions(), 0u);
  EXPECT_TRUE(users.find("u1").value()->is_disabled);
  ASSERT_TRUE(sessions.insert(session_row("s1", "u1")).has_value());
  EXPECT_EQ(counted([&] { return users.set_disabled("u1", false); }), 1);
  EXPECT_EQ(open_sessions(), 1u);
  EXPECT_EQ(counted([&] { return users.remove("u1"); }), 2);
  EXPECT_EQ(open_sessions(), 0u);
  EXPECT_EQ(sessions.list("user", "u2").value().size(), 1u);
}

TEST_F(IdentityTables, UsersAreBounded) {
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
      "INSERT INTO users SELECT 'u' || i, 'e' || i, '', '[]', 0, 0, 0 FROM n");
  EXPECT_EQ(users.insert({"one-more", "x", "", {}, false, kNow, {}}).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(IdentityTables, SessionsEndOneByOneAndAllTogether) {
  ASSERT_TRUE(sessions.insert(session_row("s1", "u1")).has_value());
  ASSERT_TRUE(sessions.insert(session_row("s2", "u1")).has_value());
  EXPECT_EQ(sessions.find("hash-s1").value()->id, "s1");
  EXPECT_EQ(sessions.find("s1").value(), std::nullopt);
  EXPECT_EQ(counted([&] { return sessions.set_last_used({{"s1", later(std::chrono::minutes(5))}}); }), 0);
  EXPECT_EQ(sessions.find("hash-s1").value()->last_used, later(std::chrono::minutes(5)));
  EXPECT_EQ(counted([&] { return sessions.remove("s1"); }), 1);
  EXPECT_EQ(sessions.remove("s1").error().code(), ErrorCode::not_found);
  EXPECT_EQ(counted([&] { return sessions.remove_all("user", "u1"); }), 1);
  EXPECT_EQ(sessions.find("hash-s2").value(), std::nullopt);
}

TEST_F(IdentityTables, SessionsOfASubjectAreBoundedAndExpiredOnesGo) {
  for (std::size_t i = 0; i < SessionTable::kPerSubjectMax; ++i) {
    SessionRow row = session_row("s" + std::to_string(i), "u1");
    row.last_used = later(std::chrono::seconds(i == 3 ? 0 : i + 1));
    ASSERT_TRUE(sessions.insert(row).has_value());
  }
  ASSERT_TRUE(sessions.insert(session_row("new", "u1")).has_value());
  EXPECT_EQ(sessions.list("user", "u1").value().size(), SessionTable::kPerSubjectMax);
  EXPECT_EQ(sessions.find("hash-s3").value(), std::nullopt) << "unused longest";
  SessionRow late = session_row("late", "u2");
  late.created = later(std::chrono::hours(12 + 24) - std::chrono::nanoseconds(1));
  ASSERT_TRUE(sessions.insert(late).has_value());
  EXPECT_EQ(sessions.list("user", "u1").value().size(), SessionTable::kPerSubjectMax) << "a day behind their end";
  late = session_row("later", "u2");
  late.created = later(std::chrono::hours(12 + 24));
  ASSERT_TRUE(sessions.insert(late).has_value());
  EXPECT_EQ(sessions.list("user", "u1").value().size(), 0u);
}

TEST_F(IdentityTables, SessionsAreBounded) {
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
      "INSERT INTO sessions SELECT 's' || i, 'h' || i, 'user', 'u' || i, '', '', 0, 9000000000000000000, 0 FROM n");
  EXPECT_EQ(sessions.insert(session_row("one-more", "u1")).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(IdentityTables, FailuresLockAndAreForgotten) {
  const auto fail = [&](Timestamp at) { return failures.add("a", at, 3, std::chrono::minutes(15)).value(); };
  EXPECT_EQ(fail(kNow).count, 1);
  EXPECT_EQ(fail(kNow).locked_until, Timestamp(0));
  EXPECT_EQ(fail(kNow).locked_until, later(std::chrono::minutes(15)));
  EXPECT_EQ(failures.find("a").value().locked_until, later(std::chrono::minutes(15)));
  EXPECT_EQ(failures.find("b").value().count, 0);
  EXPECT_EQ(fail(later(std::chrono::hours(1))).locked_until, Timestamp(0)) << "three more are free";
  ASSERT_TRUE(failures.clear("a").has_value());
  EXPECT_EQ(fail(kNow).count, 1);
  ASSERT_TRUE(failures.add("b", later(std::chrono::hours(25)), 3, std::chrono::minutes(15)).has_value());
  EXPECT_EQ(failures.find("a").value().count, 0) << "a day later";
}

TEST_F(IdentityTables, FailuresAreBounded) {
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
      "INSERT INTO sign_in_failures SELECT 'a' || i, 1, 1790000000000000000 - i, 0 FROM n");
  ASSERT_TRUE(failures.add("one-more", kNow, 3, std::chrono::minutes(15)).has_value());
  EXPECT_EQ(failures.find("a100000").value().count, 0) << "the longest ago is forgotten";
  EXPECT_EQ(failures.find("a99999").value().count, 1);
}

TEST_F(IdentityTables, ProbeSeesOtherConnectionsAtOnce) {
  const auto other = MetaDatabase::open(path, meta_schema()).value();
  RoleTable others_roles(*other);
  for (std::int64_t i = 0; i < 5; ++i) {
    const std::int64_t before = probe->read().value();
    ASSERT_TRUE(others_roles.put({"r" + std::to_string(i), {}, "", {}, {}, kNow}).has_value());
    EXPECT_EQ(probe->read().value(), before + 1);
  }
  const auto inside = database->transact([&](MetaTransaction& meta) -> Status {
    const std::int64_t before = probe->read().value();
    DENDRO_TRY(meta.change("DELETE FROM roles"));
    EXPECT_EQ(probe->read().value(), before) << "not committed; and it does not wait";
    return Error(ErrorCode::cancelled, "rolled back");
  });
  EXPECT_EQ(inside.error().code(), ErrorCode::cancelled);
}

TEST_F(IdentityTables, ProbeRefusesWhatIsNoNumber) {
  EXPECT_EQ(MetaProbe::open(path, "SELECT x FROM nothing").error().code(), ErrorCode::internal);
  EXPECT_EQ(MetaProbe::open(folder.path("none.db"), "SELECT 1").error().code(), ErrorCode::io_error);
  EXPECT_EQ(
      MetaProbe::open(path, "SELECT version FROM identity_version WHERE version < 0").value()->read().error().code(),
      ErrorCode::corruption);
}

}  // namespace
}  // namespace dendro
