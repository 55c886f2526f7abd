#include "identity/role.h"

#include <gtest/gtest.h>

#include "identity/grant.h"

namespace dendro {
namespace {

using Names = std::vector<std::string>;

Names names_of(PermissionSet permissions) {
  Names names;
  for (const Permission one : permissions.list()) {
    if (one != Permission::open) names.emplace_back(permission_name(one));
  }
  return names;
}

std::shared_ptr<const Access> access_of(std::initializer_list<Role> roles, bool every_tenant = false) {
  return combine_roles(std::vector<Role>(roles), every_tenant);
}

/// The table of five-systems.md 4.1.
TEST(Role, BuiltInOnesMayWhatTheirPageSays) {
  std::map<std::string, Names> found;
  for (const Role& role : built_in_roles()) {
    found[role.name] = names_of(combine_roles(std::span(&role, 1), false)->permissions);
    EXPECT_TRUE(role.is_read_only);
  }
  const std::map<std::string, Names> expected = {
      {"reader", {"search", "export", "stats", "stream"}},
      {"writer", {"ingest", "search", "export", "stats", "delete_old"}},
      {"auditor", {"search", "export", "stats", "stream", "audit_trail"}},
      {"admin",
       {"ingest", "search", "export", "stats", "stream", "audit_trail", "delete_old", "keys", "users", "index",
        "alerts", "unmask", "admin"}}};
  EXPECT_EQ(found, expected);
  const Role& admin = built_in_roles()[3];
  EXPECT_TRUE(combine_roles(std::span(&admin, 1), true)->permissions.has(Permission::tenants)) << "with * only";
}

TEST(Role, ScopesOfKeys) {
  EXPECT_EQ(names_of(*scope_permissions("ingest")), Names{"ingest"});
  EXPECT_EQ(names_of(*scope_permissions("search")), (Names{"search", "stats", "stream"}));
  EXPECT_EQ(names_of(*scope_permissions("export")), Names{"export"});
  EXPECT_EQ(scope_permissions("admin"), PermissionSet::all());
  EXPECT_EQ(scope_permissions("reader"), std::nullopt);
  EXPECT_EQ(scope_permissions(""), std::nullopt);
}

TEST(Role, PermissionsAndNamesAddUp) {
  const auto access = access_of({{"a", {Permission::ingest}, "", {}, {}}, {"b", {Permission::search}, "", {}, {}}});
  EXPECT_EQ(names_of(access->permissions), (Names{"ingest", "search"}));
  EXPECT_EQ(access->roles, (Names{"a", "b"}));
  EXPECT_TRUE(access_of({})->permissions.empty());
}

TEST(Role, ARecordIsSeenIfAnyFilterTakesIt) {
  const Role red{"red", {Permission::search}, "team:red", {}, {}};
  const Role blue{"blue", {Permission::stream}, "team:blue", {}, {}};
  const Role all{"all", {Permission::search}, "", {}, {}};
  const Role writes{"writes", {Permission::ingest, Permission::delete_old, Permission::audit_trail}, "", {}, {}};
  EXPECT_EQ(access_of({red})->row_filters, Names{"team:red"});
  EXPECT_EQ(access_of({red, blue})->row_filters, (Names{"team:red", "team:blue"}));
  EXPECT_EQ(access_of({red, all, blue})->row_filters, Names{});
  EXPECT_EQ(access_of({red, writes})->row_filters, Names{"team:red"}) << "a role that sees nothing lifts no filter";
  EXPECT_EQ(access_of({writes})->row_filters, Names{});
}

TEST(Role, AFieldIsHiddenIfEachRoleHidesIt) {
  const Role one{"one", {Permission::search}, "", {"email", "ip", "card"}, {"name"}};
  const Role two{"two", {Permission::export_records}, "", {"email"}, {"card", "name", "phone"}};
  const Role writes{"writes", {Permission::ingest}, "", {}, {}};
  EXPECT_EQ(access_of({one})->hidden_fields, (Names{"card", "email", "ip"}));
  EXPECT_EQ(access_of({one})->masked_fields, Names{"name"});
  EXPECT_EQ(access_of({one, two, writes})->hidden_fields, Names{"email"});
  EXPECT_EQ(access_of({one, two})->masked_fields, (Names{"card", "name"})) << "hidden by one, masked by the other";
  EXPECT_EQ(access_of({one, {"all", {Permission::stats}, "", {}, {}}})->hidden_fields, Names{});
  EXPECT_EQ(access_of({{"both", {Permission::search}, "", {"email"}, {"email"}}})->masked_fields, Names{});
}

TEST(Grant, TenantsShareWhatTheirRolesAllow) {
  const Role& admin = built_in_roles()[3];
  const Names tenants = {"shop", "bank", "*"};
  const auto grants = make_grants(tenants, std::span(&admin, 1));
  ASSERT_TRUE(grants.has_value());
  ASSERT_EQ(grants->size(), 3u);
  EXPECT_EQ((*grants)[0].access, (*grants)[1].access);
  EXPECT_FALSE((*grants)[0].access->permissions.has(Permission::tenants));
  EXPECT_EQ((*grants)[2].tenant, std::nullopt);
  EXPECT_TRUE((*grants)[2].access->permissions.has(Permission::tenants));
}

TEST(Grant, NamesOfTenantsAreChecked) {
  EXPECT_TRUE(check_tenant_names(Names{"*"}).has_value());
  EXPECT_TRUE(check_tenant_names(Names(100, "shop")).has_value());
  for (const Names& bad : {Names{}, Names(101, "shop"), Names{""}, Names{"a\nb"}, Names{std::string(129, 'x')}}) {
    EXPECT_EQ(check_tenant_names(bad).error().code(), ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace dendro
