#include "identity/users.h"

#include <thread>

#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

const std::string kPassword = "correct horse battery";

struct UsersTest : IdentityFixture {
  void SetUp() override { open(); }
  Users& users() { return parts->users(); }
  UserRow make_user(const std::string& email = "sue@example.org") {
    return users().create(email, kPassword, {{"shop", {"reader"}}}).value();
  }
};

TEST_F(UsersTest, AreMadeWithTheirGrants) {
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "team:red", {}, {}}).has_value());
  const UserRow made =
      users()
          .create("Sue@Example.org", kPassword, {{"shop", {"reader"}}, {"bank", {"red"}}, {"shop", {"writer"}}})
          .value();
  EXPECT_EQ(made.email, "sue@example.org");
  EXPECT_EQ(made.grants.size(), 2u) << "one a tenant";
  EXPECT_EQ(made.password_hash.find(kPassword), std::string::npos);
  EXPECT_EQ(users().find_by_email("SUE@example.ORG").value()->id, made.id);
  EXPECT_EQ(users().create("sue@EXAMPLE.org", kPassword, made.grants).error().code(), ErrorCode::already_exists);
  const PrincipalPtr principal = users().authenticate_id(made.id).value();
  EXPECT_EQ(principal->kind, Principal::Kind::user);
  EXPECT_EQ(principal->id, "user:" + made.id);
  EXPECT_EQ(principal->name, "sue@example.org");
  EXPECT_TRUE(principal->access_to(tenant("shop"))->permissions.has(Permission::ingest));
  EXPECT_EQ(principal->access_to(tenant("bank"))->row_filters, std::vector<std::string>{"team:red"});
  EXPECT_EQ(principal->access_to(tenant("other")), nullptr);
}

TEST_F(UsersTest, AnAdministratorOfEveryTenant) {
  const UserRow made = users().create("root", kPassword, {{"*", {"admin"}}, {"shop", {"reader"}}}).value();
  const PrincipalPtr principal = users().authenticate_id(made.id).value();
  EXPECT_TRUE(principal->holds_every_tenant());
  EXPECT_TRUE(principal->access_to(tenant("bank"))->permissions.has(Permission::tenants));
  EXPECT_FALSE(principal->access_to(tenant("shop"))->permissions.has(Permission::admin)) << "what is said of it wins";
}

TEST_F(UsersTest, WrongRequestsNameTheirFault) {
  const std::vector<UserGrantRow> good = {{"shop", {"reader"}}};
  const auto fault = [&](const std::string& email, const std::string& password,
                         const std::vector<UserGrantRow>& grants) {
    const auto made = users().create(email, password, grants);
    return made ? std::string("taken") : made.error().message();
  };
  for (const std::string& email : {std::string(), std::string("a b"), std::string("a\n"), std::string(255, 'e')}) {
    EXPECT_NE(fault(email, kPassword, good).find("e-mail address:"), std::string::npos) << email;
  }
  EXPECT_NE(fault("sue", "eleven char", good).find("12 to 128 characters, not 11"), std::string::npos);
  EXPECT_NE(fault("sue", std::string(129, 'p'), good).find("not 129"), std::string::npos);
  EXPECT_NE(fault("sue", std::string("\xff\xfe") + kPassword, good).find("UTF-8"), std::string::npos);
  EXPECT_NE(fault("sue@example.org", "sue@example.org", good).find("e-mail"), std::string::npos);
  EXPECT_NE(fault("sue", kPassword, {}).find("tenants:"), std::string::npos);
  EXPECT_NE(fault("sue", kPassword, {{"shop", {}}}).find("has no role"), std::string::npos);
  EXPECT_NE(fault("sue", kPassword, {{"shop", {"nobody"}}}).find("\"nobody\""), std::string::npos);
  EXPECT_NE(fault("sue", "p\xc3\xa4ssw\xc3\xb6rter", good).find("not 10"), std::string::npos)
      << "characters, not bytes";
  EXPECT_EQ(fault("sue", "twelve chars", good), "taken");
}

TEST_F(UsersTest, AreChangedByAdministrators) {
  const UserRow made = make_user();
  ASSERT_TRUE(users().set_grants(made.id, {{"bank", {"auditor"}}}).has_value());
  EXPECT_EQ(users().authenticate_id(made.id).value()->access_to(tenant("shop")), nullptr);
  EXPECT_EQ(users().list("bank").value().size(), 1u);
  EXPECT_EQ(users().set_grants(made.id, {{"bank", {"nobody"}}}).error().code(), ErrorCode::invalid_argument);
  ASSERT_TRUE(users().set_disabled(made.id, true).has_value());
  EXPECT_EQ(users().authenticate_id(made.id).error().code(), ErrorCode::unauthenticated);
  ASSERT_TRUE(users().set_disabled(made.id, false).has_value());
  EXPECT_TRUE(users().authenticate_id(made.id).has_value());
  EXPECT_EQ(users().set_password(made.id, "short").error().code(), ErrorCode::invalid_argument);
  ASSERT_TRUE(users().remove(made.id).has_value());
  EXPECT_EQ(users().authenticate_id(made.id).error().code(), ErrorCode::unauthenticated);
  for (const Status& status : {users().set_password(made.id, kPassword), users().unlock(made.id),
                               users().remove(made.id), users().set_disabled(made.id, true)}) {
    EXPECT_EQ(status.error().code(), ErrorCode::not_found);
  }
}

TEST_F(UsersTest, TheLastAdministratorOfEveryTenantStays) {
  const UserRow first = users().create("first", kPassword, {{"*", {"reader", "admin"}}}).value();
  const UserRow reader = users().create("reader", kPassword, {{"*", {"reader"}}, {"shop", {"admin"}}}).value();
  const auto refused = [](const Status& status) {
    return !status && status.error().code() == ErrorCode::permission_denied &&
           status.error().message() == kLastAdminText;
  };
  EXPECT_TRUE(refused(users().set_disabled(first.id, true)));
  EXPECT_TRUE(refused(users().set_grants(first.id, {{"*", {"reader"}}})));
  EXPECT_TRUE(refused(users().remove(first.id)));
  EXPECT_TRUE(users().authenticate_id(first.id).has_value()) << "nothing was changed";
  EXPECT_TRUE(users().set_grants(first.id, {{"*", {"admin"}}, {"bank", {"reader"}}}).has_value());
  EXPECT_TRUE(users().set_password(first.id, "another horse battery").has_value());
  EXPECT_TRUE(users().remove(reader.id).has_value()) << "is none";
  const UserRow second = users().create("second", kPassword, {{"*", {"admin"}}}).value();
  EXPECT_TRUE(users().set_disabled(second.id, true).has_value());
  EXPECT_TRUE(refused(users().remove(first.id))) << "a disabled one does not count";
  EXPECT_TRUE(users().set_disabled(second.id, false).has_value());
  EXPECT_TRUE(users().remove(first.id).has_value());
  EXPECT_TRUE(refused(users().remove(second.id)));
}

TEST(PasswordHasher, RefusesWhatIsTooMuchAtOnce) {
  PasswordHasher none(0);
  EXPECT_EQ(none.hash(kPassword).error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(none.is_password(kPassword, "$").error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(none.is_password_of_nobody(kPassword).error().code(), ErrorCode::resource_exhausted);
  PasswordHasher two(2);
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 5; ++j) {
          if (!two.hash(kPassword)) ++refused;
        }
      });
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(two.hash(kPassword).has_value()) << "places are given back";
  EXPECT_TRUE(two.hash(kPassword).has_value());
}

}  // namespace
}  // namespace dendro
