// Every cut is stated: time, memory, limit, a damaged part, a lost caller (query-language.md 9.2, 9.3).
#include <gtest/gtest.h>

#include "tests/query/query_harness.h"

namespace dendro {
namespace {

const Timestamp kLimitsNow = at("2026-11-20T10:05:00Z");

/// 100 batches of 10 records, one second apart; batch i is the i-th oldest.
std::shared_ptr<MemorySnapshot> thousand_records() {
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  for (int b = 0; b < 100; ++b) {
    RecordBatchBuilder builder(kLimitsNow);
    for (int i = 0; i < 10; ++i) {
      builder.begin_record();
      builder.set_timestamp(Timestamp((b * 10 + i) * kNanosPerSecond));
      builder.add_leaf(LeafRole::body, "body", "body", Value::of_text("record with some text in it"));
      builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_int64(b * 10 + i));
      builder.end_record();
    }
    batches.push_back(builder.finish());
  }
  return make_memory_snapshot(batches);
}

struct QueryLimitsFixture : testing::Test {
  ManualClock clock{kLimitsNow};
  std::shared_ptr<MemorySnapshot> snapshot = thousand_records();
  QueryRunOptions options;

  QueryRequest ask(std::string query) {
    QueryRequest request;
    request.query = std::move(query);
    request.now = kLimitsNow;
    return request;
  }
  Answer run(const QueryRequest& request) { return run_query(request, make_snapshot_input(snapshot), clock, options); }
};

TEST_F(QueryLimitsFixture, LimitOfTheRequestCutsAndTheUsersOwnDoesNot) {
  QueryRequest request = ask("*");
  request.limit = 10;
  Answer answer = run(request);
  EXPECT_EQ(answer.rows.size(), 10u);
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.reason, "limit");
  EXPECT_FALSE(answer.outcome.next_cursor.empty());
  EXPECT_LE(answer.outcome.scanned_records, 30u) << "stops early";
  answer = run(ask("* | limit 10"));
  EXPECT_EQ(answer.rows.size(), 10u);
  EXPECT_TRUE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.reason, "end");
  request.limit = 1000;
  answer = run(request);
  EXPECT_EQ(answer.rows.size(), 1000u);
  EXPECT_TRUE(answer.outcome.complete) << "exactly as many as the limit";
  request.limit = 0;
  EXPECT_EQ(run(request).rows.size(), 1000u);
}

TEST_F(QueryLimitsFixture, TimeoutGivesTheRowsSoFarAndSaysWhatTheyCover) {
  int blocks = 0;
  snapshot->before_block = [&] {
    if (++blocks == 30) clock.advance(std::chrono::seconds(31));
  };
  const Answer answer = run(ask("*"));
  EXPECT_EQ(answer.outcome.reason, "timeout");
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_FALSE(answer.outcome.matched_exact);
  ASSERT_FALSE(answer.rows.empty());
  EXPECT_LT(answer.rows.size(), 1000u);
  EXPECT_EQ(answer.outcome.covered.first,
            Timestamp(static_cast<std::int64_t>(1000 - answer.rows.size()) * kNanosPerSecond - kNanosPerSecond + 1));
  // The next page goes on from there.
  blocks = 31;
  QueryRequest rest = ask("*");
  rest.cursor = answer.outcome.next_cursor;
  EXPECT_EQ(run(rest).rows.size(), 1000 - answer.rows.size());
}

TEST_F(QueryLimitsFixture, TimeoutOfAScanThatMatchesNothingIsSeenInsideTheScan) {
  int blocks = 0;
  snapshot->before_block = [&] { clock.advance(std::chrono::seconds(1)), ++blocks; };
  const Answer answer = run(ask("nosuchword"));
  EXPECT_EQ(answer.outcome.reason, "timeout");
  EXPECT_LT(blocks, 40);
}

TEST_F(QueryLimitsFixture, ProgressIsToldAtMostFourTimesASecond) {
  snapshot->before_block = [&] { clock.advance(std::chrono::milliseconds(100)); };
  QueryRequest request = ask("_time:[1970-01-01T00:00:00Z,1970-01-01T00:16:40Z) | stats count() as n");
  Answer answer = run(request);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = answer.whole.find("{\"_progress\":{\"scanned_share\":0.", at)) != std::string::npos;
       ++at)
    ++lines;
  EXPECT_GE(lines, 25u);
  EXPECT_LE(lines, 40u) << "10 s";
  request.progress = false;
  EXPECT_EQ(run(request).whole.find("_progress"), std::string::npos);
}

TEST_F(QueryLimitsFixture, CancelEndsTheScan) {
  int blocks = 0;
  snapshot->before_block = [&] {
    if (++blocks == 5) options.cancel.cancel();
  };
  const Answer answer = run(ask("* | stats count()"));
  EXPECT_EQ(answer.outcome.reason, "cancelled");
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_LE(blocks, 6);
}

TEST_F(QueryLimitsFixture, MemoryGoneIsStated) {
  options.limits.memory_bytes_max = 20'000;
  Answer answer = run(ask("* | stats by (n) count()"));
  EXPECT_EQ(answer.outcome.reason, "memory");
  EXPECT_FALSE(answer.rows.empty());
  answer = run(ask("* | sort by (n)"));
  EXPECT_EQ(answer.outcome.reason, "memory");
}

TEST_F(QueryLimitsFixture, MemoryOfAllQueriesTogetherIsBounded) {
  const auto shared = std::make_shared<ByteBudget>(std::uint64_t{4} << 20);
  options.limits.shared_memory = shared;
  EXPECT_TRUE(run(ask("* | stats by (n) count()")).outcome.complete);
  EXPECT_EQ(shared->used(), 0u) << "given back";
  ASSERT_TRUE(shared->try_acquire(shared->bytes_max())) << "another query holds it all";
  EXPECT_EQ(run(ask("* | stats by (n) count()")).outcome.reason, "memory");
  EXPECT_EQ(shared->used(), shared->bytes_max());
}

TEST_F(QueryLimitsFixture, GroupsAndSortedRowsAreBounded) {
  options.limits.groups_max = 7;
  Answer answer = run(ask("* | stats by (n) count()"));
  EXPECT_EQ(answer.rows.size(), 7u);
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_NE(answer.status.find("group_limit"), std::string::npos);
  options.limits.sort_rows_max = 20;
  answer = run(ask("* | sort by (n)"));
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_NE(answer.status.find("sort_limit"), std::string::npos);
  EXPECT_TRUE(run(ask("* | sort by (n) limit 500")).outcome.complete);
}

TEST_F(QueryLimitsFixture, ADamagedPartIsLeftOutAndNamed) {
  std::vector<MemorySnapshot::Part> parts = snapshot->parts();
  parts[50].is_damaged = true;
  snapshot = std::make_shared<MemorySnapshot>(parts);
  const Answer answer = run(ask("* | stats count() as n"));
  EXPECT_EQ(answer.rows, (std::vector<std::string>{"{\"n\":990}"}));
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.reason, "error");
  EXPECT_NE(answer.status.find("segment 17"), std::string::npos) << answer.status;
}

TEST_F(QueryLimitsFixture, SortKeepsTheBestWhateverTheSplit) {
  const Answer answer = run(ask("* | sort by (n) limit 3 | fields n"));
  EXPECT_EQ(answer.rows, (std::vector<std::string>{"{\"n\":0}", "{\"n\":1}", "{\"n\":2}"}));
  EXPECT_TRUE(answer.outcome.complete);
}

TEST_F(QueryLimitsFixture, QuantilesBeyond4096ValuesAreApproximate) {
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  RecordBatchBuilder builder(kLimitsNow);
  for (int i = 1; i <= 10'000; ++i) {
    builder.begin_record();
    builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_int64(i));
    builder.end_record();
  }
  batches.push_back(builder.finish());
  snapshot = make_memory_snapshot(batches);
  const Answer answer = run(ask("* | stats p90(n) as p"));
  EXPECT_EQ(answer.outcome.approximate, (std::vector<std::string>{"p"}));
  EXPECT_NEAR(std::stod(answer.rows[0].substr(5)), 9000, 90);
}

TEST_F(QueryLimitsFixture, FilesAreReadOnce) {
  BatchesSource source({});
  const auto input = make_source_input(source);
  ASSERT_TRUE(input->open({}).has_value());
  EXPECT_FALSE(input->open({}).has_value());
}

}  // namespace
}  // namespace dendro
