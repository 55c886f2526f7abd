// `compare` and what earlier weeks say of it (diagnosis.md 5.3).
#include <gtest/gtest.h>

#include "query/stats/window_change.h"
#include "tests/query/query_harness.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const Timestamp kNow = at("2026-11-20T10:00:00Z");
constexpr std::int64_t kWeekNs = 7 * kNanosPerDay;

/// `count` records of `k` in the window of ten minutes that ended so long before kNow.
void add(std::string& lines, const std::string& k, int count, std::int64_t earlier_ns) {
  const Timestamp end(kNow.number() - earlier_ns);
  for (int i = 0; i < count; ++i) {
    const Timestamp time(end.number() - (1 + i % 500) * kNanosPerSecond);
    lines += R"({"_time":")" + to_rfc3339(time) + R"(","k":")" + k + R"(","body":"x"})" + "\n";
  }
}
/// Counts now, ten minutes ago, and one to four weeks ago.
void add_all(std::string& lines, const std::string& k, const std::vector<int>& counts) {
  add(lines, k, counts[0], 0);
  add(lines, k, counts[1], 600 * kNanosPerSecond);
  for (std::size_t week = 2; week < counts.size(); ++week)
    add(lines, k, counts[week], static_cast<std::int64_t>(week - 1) * kWeekNs);
}

Answer compare(const std::string& lines, const std::string& query) {
  QueryRequest request;
  request.query = query;
  request.now = kNow;
  const ManualClock clock(kNow);
  return run_query(request, make_snapshot_input(make_memory_snapshot(load_json(lines, kNow))), clock);
}

TEST(Compare, WhatIsUsualAtThisTimeOfTheWeekIsNoChange) {
  std::string lines;
  add_all(lines, "weekly report", {40, 1, 38, 41, 40, 43});
  add_all(lines, "burst", {40, 1, 1, 0, 2, 1});
  add_all(lines, "another hour's job", {0, 20, 0, 0, 0, 0});
  add_all(lines, "heartbeat", {0, 20, 20, 20, 19, 20});
  add_all(lines, "returns weekly", {9, 0, 9, 9, 8, 9});
  add_all(lines, "never seen", {3, 0, 0, 0, 0, 0});
  add_all(lines, "last week only", {0, 0, 30, 0, 0, 0});
  const Answer answer = compare(lines, "_time:10m | compare by (k) | fields k, change, hits, before, usual, z");
  EXPECT_EQ(answer.rows, (std::vector<std::string>{
                             R"({"k":"heartbeat","change":"gone","hits":0,"before":20,"usual":20,"z":4.4721})",
                             R"({"k":"burst","change":"up","hits":40,"before":1,"usual":1,"z":39})",
                             R"({"k":"never seen","change":"new","hits":3,"before":0,"usual":0,"z":3})",
                         }));
  EXPECT_TRUE(answer.outcome.complete) << answer.status;
}

TEST(Compare, WeeksThatAreNotKeptSayNothing) {
  std::string lines;
  add_all(lines, "report", {40, 1, 38});
  add_all(lines, "burst", {40, 1, 1});
  EXPECT_EQ(compare(lines, "_time:10m | compare by (k) | fields k, usual").rows,
            (std::vector<std::string>{R"({"k":"burst","usual":1})"}))
      << "one week is known";
  lines.clear();
  add_all(lines, "report", {40, 1});
  EXPECT_EQ(compare(lines, "_time:10m | compare by (k) | fields k, change, usual, z").rows,
            (std::vector<std::string>{R"({"k":"report","change":"up","usual":null,"z":null})"}));
}

TEST(Compare, TheWindowBeforeMayBeAWeekAgo) {
  std::string lines;
  add_all(lines, "report", {40, 0, 4, 4, 5, 4});
  EXPECT_EQ(compare(lines, "_time:10m | compare by (k) offset 7d | fields k, hits, before, usual").rows,
            (std::vector<std::string>{R"({"k":"report","hits":40,"before":4,"usual":4})"}));
}

TEST(Compare, ReadsTheWindowsAndNothingBetween) {
  std::string lines;
  add_all(lines, "report", {40, 1, 38, 41, 40, 43});
  add(lines, "between", 400, 3 * kNanosPerDay);
  StoreFixture fixture;
  fixture.open();
  for (const auto& batch : load_json(lines, kNow)) {
    CommitRequest request;
    request.receive_time = kNow;
    request.batches.push_back(batch);
    ASSERT_TRUE(fixture.append(std::move(request)).has_value());
  }
  ASSERT_TRUE(fixture.store->flush().has_value());
  QueryRequest request;
  request.query = "_time:10m | compare by (k)";
  request.now = kNow;
  const auto snapshot = fixture.store->snapshot(TenantId::default_tenant());
  ASSERT_TRUE(snapshot.has_value());
  const Answer answer = run_query(request, make_snapshot_input(*snapshot), fixture.clock);
  EXPECT_EQ(answer.outcome.matched, 40u + 1 + 38 + 41 + 40 + 43);
}

/// Ends a query at one of its looks at the clock.
class CancellingClock final : public Clock {
 public:
  Timestamp now() const override { return kNow; }
  std::chrono::nanoseconds monotonic() const override {
    if (looks_left && --*looks_left == 0) cancel.cancel();
    return std::chrono::nanoseconds(0);
  }
  mutable CancelToken cancel;
  mutable std::optional<int> looks_left;
};

TEST(Compare, LetsACallerGoBetweenItsTests) {
  std::string lines;
  for (int i = 0; i < 5'000; ++i) add_all(lines, "k" + std::to_string(i), {1, 0});
  QueryRequest request;
  request.query = "_time:10m | compare by (k)";
  request.now = kNow;
  const CancellingClock clock;
  QueryRunOptions options;
  options.cancel = clock.cancel;
  const auto snapshot = make_memory_snapshot(load_json(lines, kNow));
  std::size_t blocks = 0;
  snapshot->before_block = [&] {
    if (++blocks == snapshot->parts().size()) clock.looks_left = 8;  // of about fifteen until the first row
  };
  const Answer answer = run_query(request, make_snapshot_input(snapshot), clock, options);
  EXPECT_EQ(answer.outcome.reason, "cancelled");
  EXPECT_TRUE(answer.rows.empty());
}

TEST(WindowChange, TheUsualIsRobust) {
  const UsualCount quiet = UsualCount::of({0, 0, 0, 0});
  EXPECT_EQ(quiet.median, 0);
  EXPECT_EQ(quiet.deviation, 1);
  EXPECT_FALSE(quiet.was_seen);
  const UsualCount once = UsualCount::of({100});
  EXPECT_EQ(once.deviation, 10) << "the root of the median";
  const UsualCount outlier = UsualCount::of({20, 1000, 22, 18});
  EXPECT_EQ(outlier.median, 21);
  EXPECT_NEAR(outlier.deviation, 4.583, 0.001) << "the root, as the MAD is 2";
  EXPECT_NEAR(UsualCount::of({0, 100, 200, 300}).deviation, 1.4826 * 100, 0.001);
}

TEST(WindowChange, TailsAreThoseOfTheBinomial) {
  EXPECT_NEAR(test_window({10, 0}, 0.5).p, 2.0 / 1024, 1e-12);
  EXPECT_NEAR(test_window({6, 4}, 0.5).p, 2 * 386.0 / 1024, 1e-12);
  EXPECT_EQ(test_window({5, 5}, 0.5).p, 1);
  EXPECT_NEAR(test_window({3, 0}, 0.25).p, 2.0 / 64, 1e-12);
  EXPECT_NEAR(test_window({540, 460}, 0.5).p, 0.0124441463, 1e-9) << "summed";
  EXPECT_NEAR(test_window({541, 460}, 0.5).p, 0.0114161, 1e-4) << "by the normal distribution";
}

}  // namespace
}  // namespace dendro
