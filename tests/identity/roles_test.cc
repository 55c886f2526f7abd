#include "identity/roles.h"

#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

struct RolesTest : IdentityFixture {
  void SetUp() override { open(); }
  Roles& roles() { return parts->roles(); }
  std::string names() {
    std::string text;
    const std::vector<Role> all = roles().list().value();
    for (const Role& role : all) text += role.name + (role.is_read_only ? "! " : " ");
    return text;
  }
};

const Role kRedTeam{"red-team", {Permission::search, Permission::stats}, "team:red", {"email"}, {"ip"}};

TEST_F(RolesTest, AreMadeReplacedFoundAndRemoved) {
  ASSERT_TRUE(roles().put(kRedTeam).has_value());
  EXPECT_EQ(names(), "reader! writer! auditor! admin! red-team ");
  const std::vector<std::string> wanted = {"red-team", "reader", "gone", "red-team"};
  const auto found = roles().find(wanted).value();
  ASSERT_EQ(found.size(), 2u) << "missing ones are passed over, each comes once";
  EXPECT_EQ(found[0].permissions, kRedTeam.permissions);
  EXPECT_EQ(found[0].row_filter, "team:red");
  EXPECT_EQ(found[0].hidden_fields, kRedTeam.hidden_fields);
  EXPECT_EQ(found[0].masked_fields, kRedTeam.masked_fields);
  Role changed = kRedTeam;
  changed.permissions = {Permission::ingest};
  ASSERT_TRUE(roles().put(changed).has_value());
  EXPECT_EQ(roles().find(wanted).value()[0].permissions, changed.permissions);
  ASSERT_TRUE(roles().remove("red-team").has_value());
  EXPECT_EQ(roles().remove("red-team").error().code(), ErrorCode::not_found);
  EXPECT_EQ(roles().check_known(wanted).error().message(), "there is no role \"red-team\"");
}

TEST_F(RolesTest, WhatIsNoRoleIsRefused) {
  const auto refused = [&](const std::function<void(Role&)>& change) {
    Role role = kRedTeam;
    change(role);
    const Status status = roles().put(role);
    return status ? std::string("taken") : status.error().message();
  };
  for (const char* name : {"", "Red", "1red", "red team", "r\xc3\xa9", "-red"}) {
    EXPECT_NE(refused([&](Role& role) { role.name = name; }).find("a name has"), std::string::npos) << name;
  }
  EXPECT_NE(refused([&](Role& role) { role.name = std::string(64, 'r'); }).find("a name has"), std::string::npos);
  EXPECT_EQ(refused([](Role& role) { role.permissions = {}; }), "role \"red-team\": has no permission");
  EXPECT_EQ(refused([](Role& role) { role.row_filter = "((("; }),
            "role \"red-team\": row_filter: offset 0: unbalanced");
  EXPECT_NE(refused([](Role& role) { role.row_filter = std::string(4'097, 'x'); }).find("4096"), std::string::npos);
  EXPECT_NE(refused([](Role& role) { role.hidden_fields = {""}; }).find("hidden_fields"), std::string::npos);
  EXPECT_NE(refused([](Role& role) { role.masked_fields.assign(101, "f"); }).find("at most 100"), std::string::npos);
  EXPECT_NE(refused([](Role& role) { role.masked_fields = {"\xff"}; }).find("UTF-8"), std::string::npos);
  EXPECT_EQ(refused([](Role& role) { role.name = std::string(63, 'r'); }), "taken");
}

TEST_F(RolesTest, ReadOnlyOnesStayAsTheyAre) {
  EXPECT_EQ(roles().put({"reader", PermissionSet::all(), "", {}, {}}).error().code(), ErrorCode::permission_denied);
  EXPECT_EQ(roles().remove("admin").error().code(), ErrorCode::permission_denied);
  ASSERT_TRUE(roles().put(kRedTeam).has_value());
  settings.roles = {{"red-team", {Permission::stats}, "", {}, {}}, {"reader", {Permission::search}, "x:1", {}, {}}};
  reopen();
  EXPECT_EQ(names(), "red-team! reader! writer! auditor! admin! ") << "the configuration's hides the made one";
  EXPECT_EQ(roles().find(std::vector<std::string>{"reader"}).value()[0].row_filter, "x:1");
  EXPECT_EQ(roles().put(kRedTeam).error().code(), ErrorCode::permission_denied);
}

TEST_F(RolesTest, WrongOnesOfTheConfigurationStartNothing) {
  for (const Role& role : {Role{"admin", {Permission::search}, "", {}, {}}, Role{"red", {}, "", {}, {}},
                           Role{"red", {Permission::search}, "(((", {}, {}}}) {
    settings.roles = {role};
    EXPECT_EQ(IdentityParts::open(settings, from()).error().code(), ErrorCode::invalid_argument) << role.name;
  }
}

}  // namespace
}  // namespace dendro
