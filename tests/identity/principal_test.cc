#include "identity/principal.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TenantId tenant(std::string_view name) {
  return *TenantId::parse(name);
}

std::shared_ptr<const Access> access(PermissionSet permissions) {
  return std::make_shared<const Access>(Access{permissions, {}, {}, {}, {}});
}

TEST(Principal, WhatATenantGrantsWinsOverWhatEveryTenantGrants) {
  Principal principal;
  principal.grants = {{std::nullopt, access({Permission::search})}, {tenant("shop"), access({Permission::ingest})}};
  EXPECT_TRUE(principal.access_to(tenant("shop"))->permissions.has(Permission::ingest));
  EXPECT_FALSE(principal.access_to(tenant("shop"))->permissions.has(Permission::search));
  EXPECT_TRUE(principal.access_to(tenant("bank"))->permissions.has(Permission::search));
  EXPECT_TRUE(principal.holds_every_tenant());
  EXPECT_EQ(principal.only_tenant(), std::nullopt);
}

TEST(Principal, WithoutAGrantThereIsNoAccess) {
  Principal principal;
  principal.grants = {{tenant("shop"), access({Permission::search})}};
  EXPECT_EQ(principal.access_to(tenant("bank")), nullptr);
  EXPECT_FALSE(principal.holds_every_tenant());
  EXPECT_EQ(principal.only_tenant(), tenant("shop"));
}

TEST(Permission, NamesAreReadBackAndOpenIsNoRight) {
  for (const Permission one : PermissionSet::all().list()) {
    if (one == Permission::open) continue;
    EXPECT_EQ(parse_permission(permission_name(one)), one);
  }
  EXPECT_EQ(parse_permission("open"), std::nullopt);
  EXPECT_EQ(parse_permission("Search"), std::nullopt);
  EXPECT_EQ(PermissionSet::all().list().size(), kPermissionCount);
}

}  // namespace
}  // namespace dendro
