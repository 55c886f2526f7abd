#include "services/search/query_turns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/search/query_slots.h"

namespace dendro {
namespace {

using Order = std::vector<std::string>;

struct QueryTurnsFixture : testing::Test {
  // A turn that ends begins the next one: not while the list itself goes.
  ~QueryTurnsFixture() override {
    while (!under_way.empty()) end(std::string(under_way.front().first));
  }
  void enter(const std::string& tenant, const std::string& name) {
    const Status entered = turns.enter(*TenantId::parse(tenant), [this, name](std::shared_ptr<QueryTurns::Turn> turn) {
      begun.push_back(name);
      under_way.emplace_back(name, std::move(turn));
    });
    EXPECT_TRUE(entered.has_value());
  }
  void end(const std::string& name) {
    std::shared_ptr<QueryTurns::Turn> turn;
    std::erase_if(under_way, [&](auto& entry) {
      if (entry.first != name) return false;
      turn = std::move(entry.second);
      return true;
    });
    ASSERT_NE(turn, nullptr) << name;
  }

  ManualClock clock{Timestamp(0)};
  QueryTurns turns{{.turns_max = 2, .waiting_max = 3, .waiting_total_max = 5}, clock};
  Order begun;
  std::vector<std::pair<std::string, std::shared_ptr<QueryTurns::Turn>>> under_way;
};

TEST_F(QueryTurnsFixture, ATenantThatIsAloneGetsAllTurns) {
  for (const char* name : {"a1", "a2", "a3", "a4"}) enter("a", name);
  EXPECT_EQ(begun, (Order{"a1", "a2"}));
  EXPECT_EQ(turns.waiting(), 2u);
  end("a2");
  EXPECT_EQ(begun, (Order{"a1", "a2", "a3"}));
  end("a1");
  end("a3");
  end("a4");
  EXPECT_EQ(turns.waiting(), 0u);
}

TEST_F(QueryTurnsFixture, AnotherTenantDoesNotWaitForTheWholeLine) {
  for (const char* name : {"a1", "a2", "a3", "a4", "a5"}) enter("a", name);
  enter("b", "b1");
  EXPECT_EQ(begun, (Order{"a1", "a2"}));
  end("a1");
  EXPECT_EQ(begun, (Order{"a1", "a2", "b1"}));
  end("a2");
  EXPECT_EQ(begun.back(), "a3");  // and no more of a: one turn is kept free now
  end("b1");
  EXPECT_EQ(begun.back(), "a3");
  enter("b", "b2");
  EXPECT_EQ(begun.back(), "b2") << "at once";
}

TEST_F(QueryTurnsFixture, TheKeptTurnIsGivenBackOnceATenantIsAloneAgain) {
  enter("b", "b1");
  enter("a", "a1");
  end("b1");
  enter("a", "a2");
  EXPECT_EQ(begun, (Order{"b1", "a1"}));
  clock.advance(std::chrono::seconds(61));
  enter("a", "a3");
  EXPECT_EQ(begun, (Order{"b1", "a1", "a2"}));
}

TEST_F(QueryTurnsFixture, AFullLineRefusesAndOthersGoOn) {
  for (const char* name : {"a1", "a2", "a3", "a4", "a5"}) enter("a", name);
  bool is_called = false;
  const auto begin = [&](const std::shared_ptr<QueryTurns::Turn>&) { is_called = true; };
  const Status refused = turns.enter(*TenantId::parse("a"), begin);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);
  EXPECT_NE(refused.error().message().find("3 queries of tenant a wait"), std::string::npos);
  enter("b", "b1");
  enter("c", "c1");
  EXPECT_FALSE(turns.enter(*TenantId::parse("d"), begin).has_value()) << "five wait";
  while (!under_way.empty()) end(std::string(under_way.front().first));
  EXPECT_FALSE(is_called);
  EXPECT_EQ(begun.size(), 7u);
}

TEST(QuerySlots, AreCountedByTenant) {
  QuerySlots slots([](const TenantId& tenant) { return tenant.text() == "free" ? 0u : 2u; });
  const TenantId shop = *TenantId::parse("shop"), bank = *TenantId::parse("bank"), free = *TenantId::parse("free");
  auto first = slots.take(shop);
  const auto second = slots.take(shop), other = slots.take(bank);
  ASSERT_TRUE(first.has_value() && second.has_value() && other.has_value());
  const auto refused = slots.take(shop);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(refused.error().message(), "Tenant shop may run 2 queries at once (quota.queries_at_once)");
  first->reset();
  EXPECT_TRUE(slots.take(shop).has_value());
  std::vector<std::shared_ptr<QuerySlots::Slot>> many;
  for (int i = 0; i < 100; ++i) many.push_back(slots.take(free).value());
}

}  // namespace
}  // namespace dendro
