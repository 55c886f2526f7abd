#include <gtest/gtest.h>

#include "base/json_document.h"
#include "query/language/query_fault.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

constexpr const char* kRecords =
    "{\"_time\":\"2026-11-20T10:00:00Z\",\"service.name\":\"a\",\"body\":\"x\",\"n\":1}\n"
    "{\"_time\":\"2026-11-20T10:00:01Z\",\"service.name\":\"b\",\"body\":\"y\",\"n\":2}\n";

std::string explained(const std::string& query, OutputFormat format) {
  QueryRequest request;
  request.query = query;
  request.explain = ExplainMode::analyze;
  request.now = at("2026-11-20T10:05:00Z");
  const ManualClock clock(request.now);
  QueryRunOptions options;
  options.format = format;
  options.envelope = false;
  const auto batches = load_json(kRecords, request.now);
  return run_query(request, make_snapshot_input(make_memory_snapshot(batches)), clock, options).whole;
}

TEST(Explain, SaysThePlanAndWhatWasReadInsteadOfRows) {
  const std::string json = explained(
      "{service.name=\"a\"} _time:10m | where n:in(n:>1 | fields n) | sort by (n) | fields n", OutputFormat::ndjson);
  const auto document = parse_json_document(json);
  ASSERT_TRUE(document.has_value()) << json;
  const JsonValue& plan = *document->find("plan");
  EXPECT_EQ(plan.find("scan")->find("start")->as_string(), "2026-11-20T09:55:00.000000000Z");
  EXPECT_EQ(plan.find("scan")->find("reads")->as_string(), "in any order");
  ASSERT_EQ(plan.find("scan")->find("filter")->elements().size(), 3u) << json;
  EXPECT_NE(plan.find("scan")->find("filter")->elements()[0].find("asked_by")->as_string()->find("labels"),
            std::string_view::npos);
  EXPECT_EQ(plan.find("steps")->elements().size(), 2u);
  EXPECT_EQ(plan.find("queries_inside")->elements().size(), 1u);
  EXPECT_EQ(document->find("read")->find("records")->as_int(), 4) << "two for the query inside, two for its own";
  EXPECT_EQ(document->find("read")->find("matched")->as_int(), 0);
  EXPECT_EQ(json.find("\"body\""), std::string::npos) << "no rows";
}

TEST(Explain, ReadsAsText) {
  std::string text = explained("* | stats by (service) count() as n | limit 1", OutputFormat::table);
  const std::size_t bytes = text.find("read    2 records, ") + 19;
  text.replace(bytes, text.find(' ', bytes) - bytes, "N");
  EXPECT_EQ(text,
            "query   * | stats by (service) count() as n | limit 1\n"
            "scan    the beginning to the end, columns only: records that agree in what the first step looks at come "
            "as one\n"
            "  needs   service\n"
            "  leaves out dead letters\n"
            "  gave    2 records, 0 us\n"
            "step 1  stats by (service) count() as n  [records]  2 -> 2, 0 us\n"
            "step 2  limit 1  [table: service, n]  2 -> 1, 0 us\n"
            "read    2 records, N bytes, 0 ms\n"
            "matched 2, rows 1, complete\n");
}

}  // namespace
}  // namespace dendro
