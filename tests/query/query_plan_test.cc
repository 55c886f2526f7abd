#include "query/plan/query_plan.h"

#include <gtest/gtest.h>

#include "tests/query/query_harness.h"

namespace dendro {
namespace {

std::shared_ptr<const QueryPlan> plan_of(const std::string& query, ScanOrder order = ScanOrder::newest_first) {
  QueryRequest request;
  request.query = query;
  request.order = order;
  request.now = at("2026-11-20T10:05:00Z");
  QueryFault fault;
  auto plan = make_plan(request, fault);
  EXPECT_TRUE(plan.has_value()) << fault.detail();
  return plan.has_value() ? *plan : nullptr;
}

TEST(QueryPlan, SortingByTheOrderOfTheScanIsNoWork) {
  EXPECT_TRUE(plan_of("* | sort by (_time desc)")->steps.empty());
  const auto newest = plan_of("* | sort by (_time desc) limit 10");
  EXPECT_EQ(newest->steps.size(), 1u);
  EXPECT_EQ(newest->rows_needed, 10u) << "the scan stops early";
}

TEST(QueryPlan, EveryOtherSortStays) {
  const std::vector<std::pair<const char*, std::size_t>> queries = {
      {"* | sort by (_time)", 1},
      {"* | sort by (_time desc, n)", 1},
      {"* | sort by (n) | sort by (_time desc)", 2},
      {"* | stats by (_time) count() | sort by (_time desc)", 2},
  };
  for (const auto& [query, steps] : queries) {
    const auto plan = plan_of(query);
    ASSERT_EQ(plan->steps.size(), steps) << query;
    EXPECT_TRUE(std::holds_alternative<SortPipe>(plan->steps.back().pipe)) << query;
  }
  EXPECT_EQ(plan_of("* | sort by (_time desc)", ScanOrder::oldest_first)->steps.size(), 1u);
}

}  // namespace
}  // namespace dendro
