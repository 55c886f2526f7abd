#include "meta/short_links.h"

#include <gtest/gtest.h>

#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

struct ShortLinksFixture : testing::Test {
  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  const TenantId shop = *TenantId::parse("shop");
  ShortLinks links{*database, clock, random};
};

TEST_F(ShortLinksFixture, LeadsToItsPathForNinetyDays) {
  const auto made = links.create(shop, "/explore?q=error&tenant=shop");
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->code.size(), 10u);
  EXPECT_EQ(made->code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            std::string::npos);
  EXPECT_EQ(links.open(made->code)->path, "/explore?q=error&tenant=shop");
  EXPECT_NE(links.create(shop, "/explore?q=error&tenant=shop")->code, made->code);
  clock.advance(std::chrono::hours(24 * 90) - std::chrono::seconds(1));
  EXPECT_TRUE(links.open(made->code).has_value());
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(links.open(made->code).error().code(), ErrorCode::not_found);
  ASSERT_TRUE(links.create(shop, "/x").has_value());
  const auto left =
      database->transact([](MetaTransaction& meta) { return meta.row("SELECT COUNT(*) FROM short_links"); });
  EXPECT_EQ((*left)->integer(0), 1) << "expired ones are gone";
}

TEST_F(ShortLinksFixture, NoTenantUsesUpTheLinksOfOthers) {
  for (std::size_t i = 0; i < ShortLinks::kPerTenantMax; i += 1'000) {  // a link each in a transaction would take long
    ASSERT_TRUE(database
                    ->transact([&](MetaTransaction& meta) -> Status {
                      for (std::size_t j = i; j < i + 1'000; ++j) {
                        DENDRO_TRY(meta.change(
                            "INSERT INTO short_links (code, path, expires, tenant) VALUES (?, '/', ?, 'shop')",
                            {"c" + std::to_string(j), clock.now().number() + 1}));
                      }
                      return {};
                    })
                    .has_value());
  }
  EXPECT_EQ(links.create(shop, "/x").error().code(), ErrorCode::resource_exhausted);
  EXPECT_TRUE(links.create(*TenantId::parse("bank"), "/x").has_value());
}

TEST_F(ShortLinksFixture, NeverLeadsToAnotherHost) {
  for (const char* path :
       {"", "explore", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/a\nb", "/a\\b"}) {
    EXPECT_EQ(links.create(shop, path).error().code(), ErrorCode::invalid_argument) << path;
  }
  EXPECT_EQ(links.create(shop, "/" + std::string(20'000, 'a')).error().code(), ErrorCode::too_large);
  EXPECT_EQ(links.open("nosuchcode").error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace dendro
