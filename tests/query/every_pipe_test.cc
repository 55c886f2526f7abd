// Each pipe and function that the language names (query-language.md 8) is there: it is planned, prints a form that is
// planned to the same, and runs on no records and on some. What it does stands in the .qtest files.
#include <gtest/gtest.h>

#include "query/language/query_fault.h"
#include "query/rows/subquery_rows.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

class EmptyTables final : public LookupTables {
 public:
  Result<std::shared_ptr<const SubqueryRows>> find(std::string_view name) const override {
    return parse_lookup_table(name, "n,team\n1,blue\n");
  }
};
class NoPlaces final : public GeoDatabase {
 public:
  Status find(std::string_view, std::vector<Found>& found) const override {
    found.clear();
    return {};
  }
};

constexpr const char* kPipes[] = {
    // 8.1, 8.2
    "where n:>1", "filter n:>1", "fields n, a*", "keep n", "drop n", "delete n", "rename n as m", "copy n as m",
    "limit", "head 3", "offset 1", "skip 1", "sort by (n desc, m)", "order by n limit 2", "uniq by (n) with hits",
    "top 2 by (n)", "rare n", "stats by (n) count() as c", "count() by n", "eval n + 1 as m", "math n * 2 as m",
    "extract \"a=<b> \" from body", "extract_regexp \"(?P<a>[0-9]+)\"", "rex \"(?P<a>[0-9]+)\"", "unpack json",
    "unpack logfmt from body fields (a) prefix \"p.\"", "unpack_json", "unpack_logfmt", "format \"<n>\" as m",
    "replace (\"a\", \"b\")", "replace_regexp (\"a\", \"b\") at body", "unroll by (list)", "expand by (list)",
    "field_names", "field_values n", "facets 3", "pattern 3",
    // 8.3
    "dedup 2 by (n)", "join by (n) (n:1 | fields n, m) inner prefix \"p.\"", "union (n:1)", "coalesce (a, n) as m",
    "fillnull with 0 (a)", "context 1", "trace", "sample 2", "tail 2", "first 1 by (n)", "last 1 by (n)",
    "unpack syslog", "unpack csv fields (a, b)", "unpack kv", "unpack xml", "unpack cef", "grok \"%{INT:a}\"",
    "decolorize", "mask", "hash", "split \",\"", "flatten (list)", "pack (n) as m", "lookup \"t.csv\" by (n)",
    "geoip ip", "collapse_nums", "transaction by (n) maxspan 1m", "streamstats sum(n) as s", "eventstats max(n) as m",
    "delta n", "append (n:1)",
    // 8.4
    "timechart span 1m count() by n", "compare offset 1d", "compare by n", "histogram 5 n", "streams",
    "timechart span 1m count() as c | changepoint c", "timechart span 1m count() as c | anomaly c",
    "stats by (n) sum(m) as a, count() as c | correlate a with (c)",
    "stats by (_time:1m) count() as c | fill_gaps _time:1m", "block_stats",
    "timechart span 1m count() as c | forecast 2 c"};

constexpr const char* kStats[] = {"count()",
                                  "count(n, m)",
                                  "count_empty(n)",
                                  "count_uniq(n)",
                                  "sum(n)",
                                  "avg(n)",
                                  "min(n)",
                                  "max(n)",
                                  "median(n)",
                                  "quantile(0.3, n)",
                                  "p50(n)",
                                  "p90(n)",
                                  "p95(n)",
                                  "p99(n)",
                                  "p999(n)",
                                  "first(n)",
                                  "last(n)",
                                  "earliest(n)",
                                  "latest(n)",
                                  "values(n)",
                                  "uniq_values(n)",
                                  "rate()",
                                  "count_uniq_approx(n)",
                                  "quantiles(0.1, 0.9, n)",
                                  "sum_len(n)",
                                  "stddev(n)",
                                  "variance(n)",
                                  "mode(n)",
                                  "range(n)",
                                  "rate_sum(n)",
                                  "increase(n)",
                                  "row_min(n, m)",
                                  "row_max(n, m)",
                                  "row_any(n, m)",
                                  "top_values(3, n)",
                                  "histogram(n)",
                                  "entropy(n)",
                                  "corr(n, m)",
                                  "covar(n, m)",
                                  "slope(n, m)",
                                  "slope(n)",
                                  "ewma(0.3, n)",
                                  "skew(n)",
                                  "bytes()"};

constexpr const char* kScalars[] = {"len(body)",
                                    "lower(body)",
                                    "upper(body)",
                                    "trim(body)",
                                    "substr(body, 1, 2)",
                                    "concat(body, n)",
                                    "replace(body, \"a\", \"b\")",
                                    "coalesce(a, n)",
                                    "round(n, 1)",
                                    "floor(n)",
                                    "ceil(n)",
                                    "abs(n)",
                                    "min(n, 2)",
                                    "max(n, 2)",
                                    "duration_ms(\"1s\")",
                                    "bytes(\"1KiB\")",
                                    "time_part(_time, \"hour\")",
                                    "split(body, \" \", 0)",
                                    "levenshtein(body, \"x\")",
                                    "parse_url(body, \"host\")",
                                    "parse_user_agent(body, \"os\")",
                                    "json_path(body, \"a.b\")",
                                    "base64_decode(body)",
                                    "url_decode(body)",
                                    "sha256(body)",
                                    "ln(n)",
                                    "exp(n)",
                                    "pow(n, 2)",
                                    "if (n:>1) \"x\" else \"y\""};

constexpr const char* kRecords =
    "{\"_time\":\"2026-11-20T10:00:00Z\",\"n\":1,\"m\":2,\"body\":\"a=1 b,c\",\"list\":[1,2],\"ip\":\"10.0.0.1\","
    "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}\n"
    "{\"_time\":\"2026-11-20T10:01:00Z\",\"n\":2,\"m\":1,\"body\":\"{\\\"a\\\":{\\\"b\\\":1}}\"}\n";

void run_it(const std::string& query, bool needs_store) {
  QueryRequest request;
  request.query = query;
  request.start = "2026-11-20T09:00:00Z";
  request.end = "2026-11-20T11:00:00Z";
  request.now = at("2026-11-20T12:00:00Z");
  request.lookup_tables = std::make_shared<EmptyTables>();
  request.geo_database = std::make_shared<NoPlaces>();
  QueryFault fault;
  const auto prepared = prepare_query(request, fault);
  ASSERT_TRUE(prepared.has_value()) << query << "\n" << fault.detail();
  QueryRequest printed = request;
  printed.query = prepared->canonical_text();
  const auto again = prepare_query(printed, fault);
  ASSERT_TRUE(again.has_value()) << query << "\n" << printed.query << "\n" << fault.detail();
  EXPECT_EQ(again->canonical_text(), printed.query) << query;
  if (needs_store) return;
  const ManualClock clock(request.now);
  const auto records = load_json(kRecords, request.now);
  for (const auto& batches : {records, std::vector<std::shared_ptr<const RecordBatch>>()}) {
    const Answer answer = run_query(request, make_snapshot_input(make_memory_snapshot(batches)), clock);
    EXPECT_TRUE(answer.outcome.complete) << query << ": " << answer.outcome.reason;
    EXPECT_EQ(answer.outcome.error, std::nullopt) << query;
  }
}

TEST(EveryPipe, IsThere) {
  for (const char* pipe : kPipes) run_it("* | " + std::string(pipe), std::string_view(pipe) == "block_stats");
}
TEST(EveryPipe, EveryFunctionOfStatsIsThere) {
  for (const char* function : kStats) {
    run_it("* | stats " + std::string(function) + " as x", false);
    run_it("* | stats by (m) " + std::string(function) + " if (n:>1) as x", false);
  }
}
TEST(EveryPipe, EveryFunctionOfEvalIsThere) {
  for (const char* function : kScalars) run_it("* | eval " + std::string(function) + " as x", false);
}

}  // namespace
}  // namespace dendro
