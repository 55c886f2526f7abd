#include <gtest/gtest.h>

#include "query/output/record_lookup.h"
#include "record/record_id.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

const Timestamp kFormatNow = at("2026-11-20T10:05:00Z");

struct AnswerFormatFixture : testing::Test {
  ManualClock clock{kFormatNow};
  std::shared_ptr<MemorySnapshot> snapshot;
  QueryRequest request;

  void load(const std::string& ndjson) { snapshot = make_memory_snapshot(load_json(ndjson, kFormatNow)); }
  Answer run(std::string query, OutputFormat format = OutputFormat::ndjson) {
    request.query = std::move(query);
    request.now = kFormatNow;
    QueryRunOptions options;
    options.format = format;
    options.request_id = "req-1";
    return run_query(request, make_snapshot_input(snapshot), clock, options);
  }
  std::string id() const { return to_record_id({snapshot->parts()[0].batch->timestamp(0), SequenceNumber(1)}); }
};

TEST_F(AnswerFormatFixture, LinesOfAnAnswer) {
  load(R"({"_time":"2026-11-20T10:00:00Z","level":"warn","msg":"hi","service.name":"api","http":{"status":200}})");
  const Answer answer = run("_time:1h");
  EXPECT_EQ(
      answer.meta,
      R"({"_meta":{"kind":"records","start":"2026-11-20T09:05:00.000000000Z","end":"2026-11-20T10:05:00.000000000Z",)"
      R"("columns":["_time","severity","service.name","body"],"chips":[],"excludes":["dendro.source:=dead_letter"]}})");
  ASSERT_EQ(answer.rows.size(), 1u);
  EXPECT_EQ(answer.rows[0],
            R"({"_id":")" + id() + R"(","_time":"2026-11-20T10:00:00.000000000Z",)" +
                R"("_stream":"{dendro.source=\"ingest\",service.name=\"api\"}","severity":"warn","body":"hi",)" +
                R"("http.status":200,"dendro.source":"ingest","service.name":"api"})");
  EXPECT_EQ(
      answer.status,
      R"({"_status":{"complete":true,"reason":"end","matched":1,"matched_exact":true,"returned":1,"scanned_records":1,)"
      R"("scanned_bytes":)" +
          std::to_string(answer.outcome.scanned_bytes) +
          R"(,"spilled_bytes":0,"elapsed_ms":0,"request_id":"req-1","warnings":[],"covered":{"start":"2026-11-20T09:05:00.000000000Z",)"
          R"("end":"2026-11-20T10:05:00.000000000Z"},"approximate":[]}})");
}

TEST_F(AnswerFormatFixture, ClipsLongTextsAndKeepsBigNumbersExact) {
  load(R"({"_time":"2026-11-20T10:00:00Z","body":")" + std::string(5000, 'x') +
       R"(","big":9007199254740993,"small":9007199254740992,"text":1.0,"null":null})");
  Answer answer = run("* | fields body, big, small, text, null");
  EXPECT_EQ(answer.rows[0],
            R"({"body":")" + std::string(4096, 'x') +
                R"(","big":"9007199254740993","small":9007199254740992,"text":1.0,"_clipped":{"body":5000}})");
  request.clip_bytes = 0;
  request.exact = false;
  request.fields = {"b*"};
  answer = run("* | drop big");
  EXPECT_EQ(answer.rows[0], R"({"body":")" + std::string(5000, 'x') + "\"}");
}

TEST_F(AnswerFormatFixture, ShadowedResourceAndBodyMaps) {
  RecordBatchBuilder builder(kFormatNow);
  builder.begin_record();
  builder.set_timestamp(kFormatNow);
  builder.add_leaf(LeafRole::body_part, "k.a", "k.a", Value::of_int64(1));
  builder.add_leaf(LeafRole::attribute, "host.name", "host.name", Value::of_text("own"));
  builder.add_leaf(LeafRole::attribute, "_id", "_id", Value::of_text("theirs"));
  builder.add_leaf(LeafRole::attribute, "raw", "raw", Value::of_bytes("\xFF"));
  builder.add_label("host.name", Value::of_text("label"));
  builder.end_record();
  snapshot = make_memory_snapshot({builder.finish()});
  request.fields = {"body", "host.name", "resource.host.name", "attributes._id", "k.a", "raw"};
  EXPECT_EQ(
      run("*").rows[0],
      R"({"body.k.a":1,"host.name":"own","resource.host.name":"label","attributes._id":"theirs","k.a":1,"raw":"/w=="})");
  request.fields = {};
  const std::string row = run("*").rows[0];
  EXPECT_NE(
      row.find(
          R"("body.k.a":1,"host.name":"own","attributes._id":"theirs","raw":"/w==","resource.host.name":"label"})"),
      std::string::npos)
      << row;
}

TEST_F(AnswerFormatFixture, JsonIsOneDocument) {
  load("{\"id\":\"a\"}\n{\"id\":\"b\"}");
  const std::string whole = run("* | fields id", OutputFormat::json).whole;
  EXPECT_TRUE(whole.starts_with(R"({"meta":{"kind":"records","start":null,"end":null,"columns":["id"],"chips":[)"))
      << whole;
  EXPECT_NE(whole.find(R"("rows":[{"id":"b"},{"id":"a"}],"status":{"complete":true,)"), std::string::npos) << whole;
  EXPECT_TRUE(whole.ends_with("}}\n"));
}

TEST_F(AnswerFormatFixture, CsvQuotesAndDisarmsFormulas) {
  load(R"({"a":"x,\"y\"","b":"=1+1","c":-5})");
  EXPECT_EQ(run("* | fields a, b, c, d", OutputFormat::csv).whole, "a,b,c,d\r\n\"x,\"\"y\"\"\",'=1+1,-5,\r\n");
}

TEST_F(AnswerFormatFixture, TextIsBodies) {
  load("{\"body\":\"one\",\"_time\":\"2026-11-20T10:00:01Z\"}\n{\"n\":2,\"_time\":\"2026-11-20T10:00:00Z\"}");
  EXPECT_EQ(run("*", OutputFormat::text).whole, "one\n{\"n\":2,\"_time\":\"2026-11-20T10:00:00Z\"}\n");
  EXPECT_EQ(run("* | stats count() as n, max(n) as m", OutputFormat::text).whole, "2\t2\n");
}

TEST_F(AnswerFormatFixture, TableLinesUp) {
  load("{\"svc\":\"api\"}\n{\"svc\":\"billing\"}\n{\"svc\":\"api\"}");
  EXPECT_EQ(run("* | stats by (svc) count() as n", OutputFormat::table).whole, "svc      n\napi      2\nbilling  1\n");
}

TEST_F(AnswerFormatFixture, DeadLettersAreLeftOutUnlessNamed) {
  auto batches = load_json(R"({"id":"good"})", kFormatNow);
  for (const auto& batch : load_json(R"({"id":"dead"})", kFormatNow, "dead_letter")) batches.push_back(batch);
  snapshot = make_memory_snapshot(batches);
  EXPECT_EQ(run("* | fields id").rows, (std::vector<std::string>{R"({"id":"good"})"}));
  const Answer named = run("dendro.source:dead_letter | fields id");
  EXPECT_EQ(named.rows, (std::vector<std::string>{R"({"id":"dead"})"}));
  EXPECT_EQ(named.meta.find("excludes"), std::string::npos);
  EXPECT_EQ(run("{dendro.source=\"dead_letter\"} | fields id").rows.size(), 1u);
}

TEST_F(AnswerFormatFixture, WarnsOfUnknownDroppedAndUnitFields) {
  load(R"({"latency_ms":5,"user":"ann"})");
  Answer answer = run("usr:ann");
  EXPECT_NE(
      answer.status.find(
          R"({"code":"unknown_field","message":"no record looked at has a field \"usr\"; did you mean \"user\"?","offset":0,"size":3})"),
      std::string::npos)
      << answer.status;
  answer = run("latency_ms:>1s");
  EXPECT_NE(answer.status.find("unit_mismatch"), std::string::npos) << answer.status;
  answer = run("* | fields user | where latency_ms:>1");
  EXPECT_NE(answer.status.find("dropped_field"), std::string::npos) << answer.status;
  EXPECT_TRUE(answer.rows.empty());
  EXPECT_EQ(run("user:ann latency_ms:>1").status.find("\"code\""), std::string::npos);
}

TEST_F(AnswerFormatFixture, FindsARecordByItsId) {
  load(R"({"_time":"2026-11-20T10:00:00Z","a":{"b":1.0},"service.name":"api"})");
  const auto json = find_record_json(*snapshot, id());
  ASSERT_TRUE(json.has_value() && json->has_value());
  EXPECT_NE((*json)->find(R"("raw":"{\"_time\":\"2026-11-20T10:00:00Z\",\"a\":{\"b\":1.0},\"service.name\":\"api\"}")"),
            std::string::npos)
      << **json;
  EXPECT_TRUE((*json)->ends_with(R"("stream":{"dendro.source":"ingest","service.name":"api"}})")) << **json;
  EXPECT_FALSE(find_record_json(*snapshot, "nonsense")->has_value());
  EXPECT_EQ(run("_id:=" + id()).rows.size(), 1u);
  EXPECT_EQ(run("_id:" + id()).outcome.matched, 1u);
  EXPECT_EQ(run("not _id:" + id()).rows.size(), 0u);
}

TEST_F(AnswerFormatFixture, SendsSmallPiecesOfLargeAnswers) {
  std::string ndjson;
  for (int i = 0; i < 3000; ++i)
    ndjson += "{\"id\":\"" + std::to_string(i) + "\",\"text\":\"" + std::string(100, 't') + "\"}\n";
  load(ndjson);
  request.limit = 0;
  const Answer answer = run("*");
  EXPECT_EQ(answer.rows.size(), 3000u);
  EXPECT_GE(answer.pieces, 3u);
}

}  // namespace
}  // namespace dendro
