// Pipes that change rows, and queries inside a query: pages, limits, what is not read twice, saved filters.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/query/query_harness.h"

namespace dendro {
namespace {

const Timestamp kRowPipesNow = at("2026-11-20T10:05:00Z");

/// 60 batches of 10 records, ten to a second, with a key, a number and a body.
std::vector<std::shared_ptr<const RecordBatch>> six_hundred_records() {
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  for (int b = 0; b < 60; ++b) {
    RecordBatchBuilder builder(kRowPipesNow);
    for (int i = 0; i < 10; ++i) {
      const int n = b * 10 + i;
      const std::string body = "n=" + std::to_string(n) + " key=k" + std::to_string(n % 7);
      const std::string list = "[" + std::to_string(n) + ",\"x\"]";
      builder.begin_record();
      builder.set_timestamp(Timestamp(b * kNanosPerSecond));
      builder.add_leaf(LeafRole::body, "body", "body", Value::of_text(body));
      builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_int64(n));
      builder.add_leaf(LeafRole::attribute, "list", "list", Value::of_list(list));
      builder.add_leaf(LeafRole::resource, "service.name", "service.name", Value::of_text(n % 2 == 0 ? "even" : "odd"));
      builder.end_record();
    }
    batches.push_back(builder.finish());
  }
  return batches;
}

class SavedInMap final : public SavedFilters {
 public:
  explicit SavedInMap(std::map<std::string, std::string, std::less<>> filters) : filters_(std::move(filters)) {}
  std::optional<std::string> find(std::string_view name) const override {
    const auto known = filters_.find(name);
    return known == filters_.end() ? std::nullopt : std::optional(known->second);
  }

 private:
  const std::map<std::string, std::string, std::less<>> filters_;
};

struct RowPipesFixture : testing::Test {
  ManualClock clock{kRowPipesNow};
  std::vector<std::shared_ptr<const RecordBatch>> batches = six_hundred_records();
  std::shared_ptr<MemorySnapshot> snapshot = make_memory_snapshot(batches);
  QueryRunOptions options;

  static QueryRequest ask(std::string query) {
    QueryRequest request;
    request.query = std::move(query);
    request.now = kRowPipesNow;
    return request;
  }
  Answer run(const QueryRequest& request) { return run_query(request, make_snapshot_input(snapshot), clock, options); }
  QueryFault fault_of(const QueryRequest& request) {
    QueryFault fault;
    EXPECT_FALSE(prepare_query(request, fault).has_value()) << request.query;
    return fault;
  }
};

TEST_F(RowPipesFixture, PagesOfChangedRecordsGiveEachOnce) {
  QueryRequest request = ask("* | extract \"n=<m> \" | where m:>99 | eval m * 2 as m | fields m");
  std::set<std::string> seen;
  std::string last;
  std::size_t pages = 0;
  for (request.limit = 37;; ++pages) {
    const Answer answer = run(request);
    for (const std::string& row : answer.rows) EXPECT_TRUE(seen.insert(row).second) << row;
    if (answer.outcome.complete) break;
    ASSERT_FALSE(answer.outcome.next_cursor.empty());
    request.cursor = answer.outcome.next_cursor;
  }
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_EQ(pages, 13u);
  EXPECT_TRUE(seen.contains("{\"m\":200}") && seen.contains("{\"m\":1198}"));
}

TEST_F(RowPipesFixture, ALimitBehindAnExtractStopsTheScanEarly) {
  const Answer answer = run(ask("* | extract \"n=<m> \" | fields m | limit 5"));
  EXPECT_EQ(answer.rows.size(), 5u);
  EXPECT_LE(answer.outcome.scanned_records, 40u);
}

TEST_F(RowPipesFixture, RowsOfOneRecordCannotBePagedBetween) {
  QueryRequest request = ask("* | unroll by (list) | fields list");
  request.limit = 3;
  const Answer answer = run(request);
  EXPECT_EQ(answer.rows.size(), 3u);
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_TRUE(answer.outcome.next_cursor.empty()) << "a cursor would skip the second element";
}

TEST_F(RowPipesFixture, AnAnswerIsTheSameHoweverRecordsAreBatched) {
  std::mt19937_64 random(5);
  const std::string query =
      "* | unpack logfmt prefix \"p_\" | eval p_n + n as sum | rename p_key as key | stats by (key, service) sum(sum) "
      "as s";
  const Answer whole = run(ask(query));
  EXPECT_EQ(whole.rows.size(), 14u);
  const auto pieces = split_batches(batches, random, 7);
  const Answer cut = run_query(ask(query), make_snapshot_input(make_memory_snapshot(pieces)), clock);
  EXPECT_EQ(cut.rows, whole.rows);
}

TEST_F(RowPipesFixture, AQueryInsideIsBounded) {
  options.limits.subquery_rows_max = 100;
  Answer answer = run(ask("n:in(n:<100 | fields n) | stats count() as c"));
  EXPECT_EQ(answer.rows, std::vector<std::string>{"{\"c\":100}"});
  EXPECT_TRUE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.matched, 100u) << "what the query inside matched does not count";
  answer = run(ask("n:in(n:<101 | fields n) | stats count() as c"));
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.reason, "error");
  ASSERT_TRUE(answer.outcome.error.has_value());
  EXPECT_EQ(answer.outcome.error->code(), ErrorCode::too_large);
  EXPECT_TRUE(answer.rows.empty());
  answer = run(ask("* | join by (n) (n:<101)"));
  EXPECT_EQ(answer.outcome.reason, "error");
}

TEST_F(RowPipesFixture, MemoryOfAJoinIsCharged) {
  options.limits.memory_bytes_max = 20'000;
  const Answer answer = run(ask("n:1 | join by (n) (*)"));
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.reason, "memory");
}

TEST_F(RowPipesFixture, MemoryOfDedupTailAndFacetsIsCharged) {
  options.limits.memory_bytes_max = 20'000;
  for (const char* query : {"* | dedup by (n)", "* | tail 600", "* | facets"}) {
    const Answer answer = run(ask(query));
    EXPECT_FALSE(answer.outcome.complete) << query;
    EXPECT_EQ(answer.outcome.reason, "memory") << query;
  }
}

TEST_F(RowPipesFixture, TimeMayRunOutInsideAQueryInside) {
  QueryRequest request = ask("n:in(* | fields n)");
  request.timeout = std::chrono::milliseconds(1'000);
  snapshot->before_block = [this] { clock.advance(std::chrono::milliseconds(100)); };
  const Answer answer = run(request);
  EXPECT_FALSE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.reason, "timeout");
  EXPECT_TRUE(answer.rows.empty());
  EXPECT_EQ(answer.outcome.covered.first, answer.outcome.covered.last) << "it answers for nothing";
}

TEST_F(RowPipesFixture, FilesAreKeptForAQueryInside) {
  BatchesSource source(batches);
  const Answer answer = run_query(
      ask("n:in(n:>590 | fields n) | join by (n) (n:595 | fields n, list) inner prefix \"r.\" | fields n, r.list"),
      make_source_input(source), clock);
  EXPECT_EQ(answer.rows, std::vector<std::string>{"{\"n\":595,\"r.list\":[595,\"x\"]}"});
  EXPECT_TRUE(answer.outcome.complete);
  EXPECT_EQ(answer.outcome.scanned_records, 1'800u) << "three passes";
}

TEST_F(RowPipesFixture, FacetsLeavesOutWhatNamesRecords) {
  std::vector<std::shared_ptr<const RecordBatch>> many;
  RecordBatchBuilder builder(kRowPipesNow);
  for (int i = 0; i < 10'001; ++i) {
    builder.begin_record();
    builder.set_timestamp(Timestamp(i));
    builder.add_leaf(LeafRole::attribute, "id", "id", Value::of_int64(i));
    builder.add_leaf(LeafRole::attribute, "kind", "kind", Value::of_text(i % 2 == 0 ? "a" : "b"));
    builder.end_record();
  }
  many.push_back(builder.finish());
  const Answer answer = run_query(ask("* | facets"), make_snapshot_input(make_memory_snapshot(many)), clock);
  EXPECT_EQ(answer.rows, (std::vector<std::string>{"{\"field\":\"_stream\",\"value\":\"{}\",\"hits\":10001}",
                                                   "{\"field\":\"kind\",\"value\":\"a\",\"hits\":5001}",
                                                   "{\"field\":\"kind\",\"value\":\"b\",\"hits\":5000}"}));
  EXPECT_NE(answer.status.find("facets_limit"), std::string::npos);
}

TEST_F(RowPipesFixture, SavedFilters) {
  QueryRequest request = ask("$high -$odd | stats count() as c");
  request.saved_filters =
      std::make_shared<SavedInMap>(std::map<std::string, std::string, std::less<>>{{"high", "n:>=590 or n:in($low)"},
                                                                                   {"odd", "service:odd"},
                                                                                   {"loop", "a $loop"},
                                                                                   {"piped", "a | limit 3"},
                                                                                   {"bad", "n:>>"},
                                                                                   {"nested", "$odd n:<4"}});
  request.query = "$nested or -$odd n:>596 | stats count() as c";
  EXPECT_EQ(run(request).rows, std::vector<std::string>{"{\"c\":3}"});
  QueryFault fault;
  const auto prepared = prepare_query(request, fault);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_EQ(prepared->canonical_text(), "service:odd n:<4 or not service:odd n:>596 | stats count() as c");
  for (const auto& [query, message] : std::vector<std::pair<std::string, std::string>>{
           {"a $none", "no saved filter \"$none\""},
           {"a $piped", "\"$piped\" is no filter, it has pipes"},
           {"a $bad", "the saved filter \"$bad\": line 1, column 4: expected a value after \">\", found \">\""}}) {
    request.query = query;
    const QueryFault refused = fault_of(request);
    EXPECT_EQ(refused.message, message);
    EXPECT_EQ(refused.column, 3u);
  }
  request.query = "$loop";
  EXPECT_NE(fault_of(request).message.find("more than 10 deep"), std::string::npos);
}

TEST_F(RowPipesFixture, CountsOfPipesAndQueriesInsideAreBounded) {
  std::string pipes = "*";
  for (int i = 0; i < 200; ++i) pipes += " | limit 1";
  QueryFault fault;
  EXPECT_TRUE(prepare_query(ask(pipes), fault).has_value());
  EXPECT_EQ(fault_of(ask(pipes + " | limit 1")).message, "the query has more than 200 pipes");
  std::string inside = "*";
  for (int i = 0; i < 21; ++i) inside += " n:in(* | fields n)";
  EXPECT_EQ(fault_of(ask(inside)).message, "the query holds more than 20 others");
}

TEST_F(RowPipesFixture, DeepExpressionsAreRefusedByName) {
  const std::string sum = "1" + [] {
    std::string text;
    for (int i = 0; i < 120; ++i) text += " + 1";
    return text;
  }();
  EXPECT_EQ(fault_of(ask("* | eval " + sum + " as s")).message, "nesting is deeper than 100");
  // What parses must print a form that parses: parentheses that it adds count.
  std::string chain;
  for (int i = 0; i < 45; ++i) chain += "1 + if (a) 2 else ";
  QueryFault fault;
  const auto prepared = prepare_query(ask("* | eval " + chain + "3 as s"), fault);
  ASSERT_TRUE(prepared.has_value()) << fault.detail();
  EXPECT_TRUE(prepare_query(ask(prepared->canonical_text()), fault).has_value()) << fault.detail();
  EXPECT_EQ(fault_of(ask("* | eval " + chain + chain + "3 as s")).message, "nesting is deeper than 100");
  EXPECT_EQ(fault_of(ask("* | eval " + std::string(101, '(') + "1" + std::string(101, ')') + " as s")).message,
            "nesting is deeper than 100");
}

TEST_F(RowPipesFixture, NamedZonesOfARequest) {
  QueryRequest request = ask("* | stats by (_time:1d) count() as c");
  request.tz = "Mars/Olympus";
  EXPECT_NE(fault_of(request).message.find("no time zone \"Mars/Olympus\""), std::string::npos);
  request.tz = "America/New_York";
  EXPECT_EQ(run(request).rows, std::vector<std::string>{"{\"_time\":\"1969-12-31T05:00:00.000000000Z\",\"c\":600}"});
}

}  // namespace
}  // namespace dendro
