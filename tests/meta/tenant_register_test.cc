#include "meta/tenant_register.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "meta/meta_schema.h"
#include "meta/saved_queries.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

struct TenantRegisterFixture : testing::Test {
  TenantRow row(std::string_view id, std::string object_id = "0123456789abcdef01234567") const {
    return {*TenantId::parse(id), std::move(object_id), "Name", "{}", {}, TenantState::active, {}, clock.now()};
  }
  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  TenantRegister table{*database};
};

TEST_F(TenantRegisterFixture, KeepsRowsByTheirId) {
  ASSERT_TRUE(table.create(row("shop")).has_value());
  EXPECT_EQ(table.create(row("shop", "ff")).error().code(), ErrorCode::already_exists);
  ASSERT_TRUE(table.create(row("bank", "ee")).has_value());
  TenantRow changed = row("shop");
  changed.name = "Shop";
  changed.state = TenantState::suspended;
  changed.settings = R"({"retention_days":7})";
  ASSERT_TRUE(table.replace(changed).has_value());
  const auto all = table.list();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].id.text(), "bank");
  EXPECT_EQ((*all)[1].name, "Shop");
  EXPECT_EQ((*all)[1].state, TenantState::suspended);
  EXPECT_EQ((*all)[1].settings, changed.settings);
  EXPECT_EQ((*all)[1].created, clock.now());
  EXPECT_EQ(table.replace(row("none")).error().code(), ErrorCode::not_found);
}

TEST_F(TenantRegisterFixture, ADeletedTenantMayBeCreatedAgain) {
  TenantRow gone = row("shop");
  gone.state = TenantState::deleted;
  ASSERT_TRUE(table.create(gone).has_value());
  ASSERT_TRUE(table.create(row("shop", "new")).has_value());
  EXPECT_EQ((*table.list())[0].object_id, "new");
}

TEST_F(TenantRegisterFixture, ErasesTheTenantsRowsInEveryTable) {
  SavedQueries saved(*database, clock, random);
  const TenantId shop = *TenantId::parse("shop");
  const TenantId bank = *TenantId::parse("bank");
  ASSERT_TRUE(saved.create(shop, {"a", "*", "{}"}).has_value());
  ASSERT_TRUE(saved.create(shop, {"b", "*", "{}"}).has_value());
  ASSERT_TRUE(saved.create(bank, {"a", "*", "{}"}).has_value());
  ASSERT_TRUE(table.save_usage({{shop, {20'000, 7}}, {bank, {20'000, 8}}}).has_value());
  EXPECT_EQ(table.erase_rows_of(shop).value(), 3u);
  EXPECT_TRUE(saved.list(shop)->empty());
  EXPECT_EQ(saved.list(bank)->size(), 1u);
  EXPECT_EQ(table.usage()->size(), 1u);
  EXPECT_EQ(table.usage()->at(bank).ingested_bytes, 8u);
}

}  // namespace
}  // namespace dendro
