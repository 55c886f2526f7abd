// Bounds of the pipes that look at several rows: what is cut is said.
#include <gtest/gtest.h>

#include "tests/query/query_harness.h"

namespace dendro {
namespace {

std::string records(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const int second = i % 60, minute = i / 60 % 60, hour = i / 3600;
    char line[256];
    std::snprintf(line, sizeof line,
                  "{\"_time\":\"2026-11-20T%02d:%02d:%02dZ\",\"service.name\":\"a\",\"body\":\"event %d of a longer "
                  "text\",\"n\":%d,\"k\":\"k%d\"%s}\n",
                  hour, minute, second, i, i, i, i % 100 == 50 ? ",\"severity\":\"error\"" : "");
    text += line;
  }
  return text;
}

Answer ask(const std::string& query, QueryLimits limits, int count = 2'000) {
  QueryRequest request;
  request.query = query;
  request.now = at("2026-11-21T00:00:00Z");
  request.limit = 0;
  const ManualClock clock(request.now);
  QueryRunOptions options;
  options.limits = limits;
  return run_query(request, make_snapshot_input(make_memory_snapshot(load_json(records(count), request.now))), clock,
                   options);
}

void expect_cut(const Answer& answer, const std::string& code) {
  EXPECT_FALSE(answer.outcome.complete) << answer.status;
  EXPECT_EQ(answer.outcome.reason, "memory");
  if (!code.empty()) EXPECT_NE(answer.status.find(code), std::string::npos) << answer.status;
}

TEST(AnalysisLimits, RowsThatAreKeptAreCounted) {
  QueryLimits limits;
  limits.sort_rows_max = 500;
  expect_cut(ask("* | eventstats count() as c", limits), "rows_limit");
  expect_cut(ask("* | stats by (k) count() as n | anomaly n", limits), "rows_limit");
  limits = {};
  limits.groups_max = 500;
  expect_cut(ask("* | transaction by (k)", limits), "group_limit");
  expect_cut(ask("* | streamstats count() as c by k", limits), "group_limit");
  expect_cut(ask("_time:[2026-11-20T00:10:00, 2026-11-20T00:40:00) | compare by (k)", limits), "group_limit");
}

TEST(AnalysisLimits, MemoryIsCharged) {
  QueryLimits limits;
  limits.memory_bytes_max = 60'000;
  for (const char* query :
       {"* | eventstats count() as c | fields c", "* | transaction by (k)", "* | delta n by (k) | limit 5000",
        "* | stats entropy(k) as e", "* | stats increase(n) as i",
        "* | streamstats window 900 values(body) as v | stats count()",
        "_time:[2026-11-20T00:00:00, 2026-11-20T00:40:00) | compare by (k) offset 1d"}) {
    SCOPED_TRACE(query);
    expect_cut(ask(query, limits), "");
  }
}

TEST(AnalysisLimits, ContextGivesBackWhatItLetsGo) {
  QueryLimits limits;
  limits.memory_bytes_max = 4'000'000;
  const Answer answer = ask("severity:error | context 3 | fields n, _match", limits, 20'000);
  EXPECT_TRUE(answer.outcome.complete) << answer.status;
  EXPECT_EQ(answer.rows.size(), 200u * 7);
  EXPECT_EQ(answer.outcome.matched, 200u) << "neighbours are not what was asked for";
  EXPECT_EQ(answer.rows[3], "{\"n\":19950,\"_match\":true}");
}

TEST(AnalysisLimits, ApproximateCountsSayHowGoodTheyAre) {
  const Answer answer = ask("* | stats count_uniq_approx(k) as few, count_uniq_approx(k, n, body) as many", {}, 20'000);
  ASSERT_EQ(answer.rows.size(), 1u);
  EXPECT_EQ(answer.outcome.approximate, (std::vector<std::string>{"few", "many"}));
  unsigned long few = 0, many = 0;
  ASSERT_EQ(std::sscanf(answer.rows[0].c_str(), "{\"few\":%lu,\"many\":%lu}", &few, &many), 2) << answer.rows[0];
  // Three standard errors of 0.81 %.
  EXPECT_NEAR(static_cast<double>(few), 20'000, 490);
  EXPECT_NEAR(static_cast<double>(many), 20'000, 490);
  EXPECT_TRUE(ask("* | stats count_uniq_approx(k) as u", {}, 1'000).outcome.approximate.empty()) << "exact so far";
}

}  // namespace
}  // namespace dendro
