#include "meta/saved_queries.h"

#include <gtest/gtest.h>

#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

struct SavedQueriesFixture : testing::Test {
  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  SavedQueries saved{*database, clock, random};
  const TenantId shop = TenantId::parse("shop").value();
  const TenantId bank = TenantId::parse("bank").value();
};

TEST_F(SavedQueriesFixture, KeepsAQueryUnderItsNameForOneTenant) {
  const auto made = saved.create(shop, {"slow payments", "service:pay duration_ms:>500", R"({"columns":["body"]})"});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->id.size(), 16u);
  EXPECT_EQ(made->created, clock.now());
  EXPECT_EQ(saved.get(shop, made->id)->query, "service:pay duration_ms:>500");
  EXPECT_EQ(saved.get(shop, made->id)->settings, R"({"columns":["body"]})");
  EXPECT_EQ((*saved.find(shop, "slow payments"))->id, made->id);
  EXPECT_FALSE(saved.find(shop, "fast payments")->has_value());
  EXPECT_EQ(saved.get(bank, made->id).error().code(), ErrorCode::not_found) << "another tenant's";
  EXPECT_FALSE(saved.find(bank, "slow payments")->has_value());
  EXPECT_EQ(saved.remove(bank, made->id).error().code(), ErrorCode::not_found);
  ASSERT_TRUE(saved.create(bank, {"slow payments", "*", "{}"}).has_value()) << "a name is a tenant's own";
  EXPECT_EQ(saved.list(shop)->size(), 1u);
}

TEST_F(SavedQueriesFixture, ChangesAndRemoves) {
  const std::string id = saved.create(shop, {"b", "one", "{}"})->id;
  ASSERT_TRUE(saved.create(shop, {"a", "two", "{}"}).has_value());
  clock.advance(std::chrono::seconds(9));
  const auto changed = saved.replace(shop, id, {"c", "three", "{}"});
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->updated, clock.now());
  EXPECT_LT(changed->created, changed->updated);
  EXPECT_EQ((*saved.list(shop))[0].name, "a");
  EXPECT_EQ((*saved.list(shop))[1].query, "three");
  EXPECT_EQ(saved.replace(shop, id, {"a", "x", "{}"}).error().code(), ErrorCode::already_exists);
  EXPECT_EQ(saved.replace(shop, "0000000000000000", {"d", "x", "{}"}).error().code(), ErrorCode::not_found);
  ASSERT_TRUE(saved.remove(shop, id).has_value());
  EXPECT_EQ(saved.remove(shop, id).error().code(), ErrorCode::not_found);
}

TEST_F(SavedQueriesFixture, RefusesWhatIsEmptyTakenOrTooLarge) {
  EXPECT_EQ(saved.create(shop, {"", "*", "{}"}).error().code(), ErrorCode::invalid_argument);
  EXPECT_EQ(saved.create(shop, {std::string(201, 'n'), "*", "{}"}).error().code(), ErrorCode::too_large);
  EXPECT_EQ(saved.create(shop, {"n", std::string(70'000, 'q'), "{}"}).error().code(), ErrorCode::too_large);
  EXPECT_EQ(saved.create(shop, {"n", "*", std::string(20'000, 's')}).error().code(), ErrorCode::too_large);
  ASSERT_TRUE(saved.create(shop, {"n", "*", "{}"}).has_value());
  const auto doubled = saved.create(shop, {"n", "*", "{}"});
  EXPECT_EQ(doubled.error().code(), ErrorCode::already_exists);
  EXPECT_NE(doubled.error().message().find("\"n\" is taken"), std::string::npos);
}

TEST_F(SavedQueriesFixture, ATenantHasSoManyAndNoMore) {
  ASSERT_TRUE(database
                  ->transact([](MetaTransaction& meta) {
                    return meta.change(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO "
                        "saved_queries SELECT 'id' || i, 'shop', 'name' || i, '*', '{}', 0, 0 FROM n");
                  })
                  .has_value());
  EXPECT_EQ(saved.create(shop, {"one more", "*", "{}"}).error().code(), ErrorCode::resource_exhausted);
  EXPECT_TRUE(saved.create(bank, {"one more", "*", "{}"}).has_value());
}

}  // namespace
}  // namespace dendro
