#include "meta/privacy_key_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "meta/meta_schema.h"
#include "meta/tenant_register.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

struct PrivacyKeyTableFixture : testing::Test {
  std::string bytes_of(const char* name) const {
    std::ifstream file(folder.path(name), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  PrivacyKeyTable table{*database};
  const TenantId shop = *TenantId::parse("shop"), bank = *TenantId::parse("bank");
};

TEST_F(PrivacyKeyTableFixture, KeepsKeysByTenantAndVersion) {
  ASSERT_TRUE(table.add({shop, 1, "wrapped", Timestamp(5)}).has_value());
  EXPECT_EQ(table.add({shop, 1, "other", Timestamp(6)}).error().code(), ErrorCode::already_exists);
  ASSERT_TRUE(table.add({bank, 1, "of the bank", Timestamp(7)}).has_value());
  ASSERT_TRUE(table.rewrap({{shop, 1, "anew", Timestamp(5)}}).has_value());
  const auto keys = table.list();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].wrapped, "of the bank");
  EXPECT_EQ((*keys)[1].wrapped, "anew");
  EXPECT_EQ((*keys)[1].created, Timestamp(5));
}

TEST_F(PrivacyKeyTableFixture, WhatIsErasedIsInNoFile) {
  const std::string secret = "a very secret wrapped key of a tenant";
  ASSERT_TRUE(table.add({shop, 1, secret, Timestamp(5)}).has_value());
  ASSERT_NE((bytes_of("meta.db") + bytes_of("meta.db-wal")).find(secret), std::string::npos);
  EXPECT_EQ(table.erase(shop).value(), 1u);
  EXPECT_EQ((bytes_of("meta.db") + bytes_of("meta.db-wal")).find(secret), std::string::npos);
  EXPECT_EQ(table.erase(shop).value(), 0u);
}

TEST_F(PrivacyKeyTableFixture, GoesWithItsTenant) {
  ASSERT_TRUE(table.add({shop, 1, "wrapped", Timestamp(5)}).has_value());
  EXPECT_EQ(TenantRegister(*database).erase_rows_of(shop).value(), 1u);
  EXPECT_TRUE(table.list()->empty());
}

TEST_F(PrivacyKeyTableFixture, KeepsTheRulesOfTheConfiguration) {
  EXPECT_EQ(table.default_rules().value(), "[]");
  ASSERT_TRUE(table.set_default_rules(R"([{"name":"a"}])").has_value());
  EXPECT_EQ(table.default_rules().value(), R"([{"name":"a"}])");
}

}  // namespace
}  // namespace dendro
