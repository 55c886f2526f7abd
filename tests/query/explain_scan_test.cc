// What `explain` counts, on stores so small that every number is known.
#include <gtest/gtest.h>

#include "base/json_document.h"
#include "parse/file_record_source.h"
#include "tests/query/query_harness.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr const char* kMorning =
    "{\"_time\":\"2026-11-20T10:00:00Z\",\"service.name\":\"api\",\"body\":\"login req11 done by the gateway in good "
    "time\",\"n\":1}\n"
    "{\"_time\":\"2026-11-20T10:00:01Z\",\"service.name\":\"api\",\"body\":\"login req12 done by the gateway in good "
    "time\",\"n\":2}\n";
constexpr const char* kNoon =
    "{\"_time\":\"2026-11-20T12:00:00Z\",\"service.name\":\"web\",\"body\":\"login req21 done by the gateway in good "
    "time\",\"n\":3}\n"
    "{\"_time\":\"2026-11-20T12:00:01Z\",\"service.name\":\"web\",\"body\":\"login req22 done by the gateway in good "
    "time\",\"n\":4}\n"
    "{\"_time\":\"2026-11-20T12:00:02Z\",\"service.name\":\"web\",\"body\":\"needle lost by the gateway in the "
    "haystack\",\"n\":50}\n";
constexpr const char* kEvening =
    "{\"_time\":\"2026-11-20T18:00:00Z\",\"service.name\":\"api\",\"body\":\"login req31 done by the gateway in good "
    "time\",\"n\":5,"
    "\"user\":\"ann\"}\n"
    "{\"_time\":\"2026-11-20T18:00:01Z\",\"service.name\":\"api\",\"body\":\"login req32 done by the gateway in good "
    "time\",\"n\":6,"
    "\"user\":\"bob\"}\n";

/// Three segments of one row group each.
class ExplainStore : public testing::Test {
 protected:
  ExplainStore() {
    fixture_.open();
    for (const char* const records : {kMorning, kNoon, kEvening}) {
      append(records);
      EXPECT_TRUE(fixture_.store->flush().has_value());
    }
  }
  void append(const std::string& records) {
    CommitRequest request;
    request.receive_time = at("2026-11-20T20:00:00Z");
    request.batches = load_json(records, request.receive_time);
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  }
  JsonValue explain(const std::string& query, ExplainMode mode = ExplainMode::analyze) {
    QueryRequest request;
    request.query = query;
    request.explain = mode;
    request.now = at("2026-11-20T20:00:00Z");
    const ManualClock clock(request.now);
    text_ = run_query(request, make_snapshot_input(fixture_.store->snapshot(TenantId::default_tenant()).value()), clock)
                .whole;
    auto document = parse_json_document(text_);
    EXPECT_TRUE(document.has_value()) << text_;
    return std::move(document).value();
  }
  /// The fates of `what` (segments, row_groups) that are not 0, as `seen 3 read 1`.
  std::string fates(const JsonValue& document, const std::string& what) {
    std::string text;
    const JsonValue* const found = document.find("plan")->find("scan")->find(what);
    if (found == nullptr) return "none";
    for (const auto& [name, count] : found->members()) {
      if (count.as_int() != 0)
        text += (text.empty() ? "" : " ") + std::string(name) + " " + std::to_string(*count.as_int());
    }
    return text;
  }
  std::string segments(const std::string& query) {
    const JsonValue document = explain(query);
    const std::string fate = fates(document, "segments");
    return fate;
  }
  static std::int64_t number(const JsonValue& object, const char* name) { return object.find(name)->as_int().value(); }

  StoreFixture fixture_;
  std::string text_;
};

TEST_F(ExplainStore, SaysWhyEachSegmentWasNotRead) {
  EXPECT_EQ(segments("_time:>=2026-11-20T11:00 n:*"), "seen 3 outside_range 1 read 2") << text_;
  EXPECT_EQ(segments("{service.name=web} n:>0"), "seen 3 by_labels 2 read 1") << text_;
  EXPECT_EQ(segments("service.name:web n:>0"), "seen 3 by_labels 2 read 1") << "a field that is a label\n" << text_;
  EXPECT_EQ(segments("n:>40"), "seen 3 by_statistics 2 read 1") << "the greatest n of each\n" << text_;
  EXPECT_EQ(segments("user:ann"), "seen 3 by_statistics 2 read 1") << "the others have no such field\n" << text_;
  EXPECT_EQ(segments("req22"), "seen 3 by_token_filter 2 read 1") << text_;
  EXPECT_EQ(segments("{service.name=db}"), "seen 3 by_labels 3") << text_;
  EXPECT_EQ(segments("* | limit 1"), "seen 3 read 1 unreached 2") << "the newest is enough\n" << text_;
  EXPECT_EQ(segments("* | stats count()"), "seen 3 by_directory 3") << text_;
  EXPECT_EQ(segments("{service.name=web} | stats count()"), "seen 3 by_labels 2 by_directory 1") << text_;
}

TEST_F(ExplainStore, CountsRowGroupsRecordsAndTemplates) {
  const JsonValue document = explain("needle");
  EXPECT_EQ(fates(document, "row_groups"), "seen 3 by_statistics 2 read 1") << text_;
  const JsonValue& scan = *document.find("plan")->find("scan");
  EXPECT_EQ(number(*scan.find("templates"), "yes"), 1) << text_;
  EXPECT_EQ(number(*scan.find("templates"), "no"), 3) << "login of each\n" << text_;
  EXPECT_EQ(number(*scan.find("templates"), "maybe"), 0) << text_;
  EXPECT_EQ(number(*scan.find("records"), "tested"), 3) << text_;
  EXPECT_EQ(number(*scan.find("records"), "rebuilt"), 1) << text_;
  EXPECT_EQ(number(scan, "rows_out"), 1);
  EXPECT_EQ(number(*document.find("read"), "matched"), 1);
}

TEST_F(ExplainStore, CountsBytesByKindAndWhatWasDecodedBefore) {
  explain("n:>40");
  const JsonValue again = explain("n:>40");
  bool has_numbers = false;
  for (const JsonValue& column : again.find("plan")->find("scan")->find("columns")->elements()) {
    EXPECT_EQ(number(column, "pieces"), number(column, "cached")) << text_;
    EXPECT_EQ(number(column, "stored_bytes"), 0) << text_;
    has_numbers = has_numbers || column.find("kind")->as_string() == "numbers";
  }
  EXPECT_TRUE(has_numbers) << text_;
  fixture_.open();
  const JsonValue fresh = explain("n:>40");
  std::int64_t bytes = 0;
  for (const JsonValue& column : fresh.find("plan")->find("scan")->find("columns")->elements())
    bytes += number(column, "stored_bytes");
  EXPECT_GT(bytes, 0) << text_;
}

TEST_F(ExplainStore, CountsMemtables) {
  append("{\"_time\":\"2026-11-20T19:00:00Z\",\"body\":\"x\"}\n{\"_time\":\"2026-11-20T19:00:01Z\",\"body\":\"y\"}\n");
  const JsonValue document = explain("_time:>=2026-11-20T18:30 x");
  EXPECT_EQ(fates(document, "segments"), "seen 3 outside_range 3") << text_;
  EXPECT_EQ(fates(document, "memtable"), "batches 1 records 2") << text_;
  EXPECT_EQ(number(*document.find("plan")->find("scan")->find("records"), "tested"), 2) << text_;
  EXPECT_EQ(fates(explain("_time:<2026-11-20T18:30 n:1"), "memtable"), "batches_outside_range 1") << text_;
}

TEST_F(ExplainStore, CountsRowsOfEachStepAndOfQueriesInside) {
  const JsonValue document = explain("n:in(n:>40 | fields n) | stats by (service.name) count() as c | limit 1");
  const auto& steps = document.find("plan")->find("steps")->elements();
  ASSERT_EQ(steps.size(), 2u) << text_;
  EXPECT_EQ(number(steps[0], "rows_in"), 1) << text_;
  EXPECT_EQ(number(steps[0], "rows_out"), 1) << text_;
  EXPECT_EQ(number(steps[1], "rows_in"), 1) << text_;
  EXPECT_GE(number(steps[1], "elapsed_us"), 0);
  const JsonValue& inside = document.find("plan")->find("queries_inside")->elements().front();
  EXPECT_EQ(number(*inside.find("scan")->find("segments"), "by_statistics"), 2) << text_;
  EXPECT_EQ(number(*inside.find("scan"), "rows_out"), 1) << text_;

  const JsonValue whole = explain("* | stats by (service.name) count() as c | limit 1");
  const auto& of_all = whole.find("plan")->find("steps")->elements();
  EXPECT_EQ(number(of_all[0], "rows_in"), 7) << "a record that stands for several counts as many\n" << text_;
  EXPECT_EQ(number(of_all[0], "rows_out"), 2) << text_;
  EXPECT_EQ(number(of_all[1], "rows_out"), 1) << text_;
}

TEST_F(ExplainStore, ThePlanAloneReadsNothing) {
  const JsonValue document = explain("n:>40 | stats count()", ExplainMode::plan);
  EXPECT_EQ(document.find("read"), nullptr) << text_;
  EXPECT_EQ(fates(document, "segments"), "none") << text_;
  EXPECT_EQ(document.find("plan")->find("steps")->elements().size(), 1u);
  EXPECT_EQ(document.find("plan")->find("steps")->elements().front().find("rows_in"), nullptr);
}

TEST_F(ExplainStore, NamesDamage) {
  const std::string folder = "/t/default/20261120";
  Bodies names = fixture_.list(folder);
  ASSERT_EQ(names.size(), 3u);
  const std::string path = fixture_.options.directory + folder + "/" + names.front();
  fixture_.close();
  fixture_.files->damage(path, 70);
  fixture_.open();
  const JsonValue document = explain("n:>0");
  EXPECT_EQ(fates(document, "row_groups"), "seen 3 read 2 damaged 1") << text_;
  EXPECT_EQ(fates(document, "segments"), "seen 3 read 2 damaged 1") << text_;
}

TEST(ExplainFiles, CountsFilesLinesAndBytes) {
  const std::string log =
      "2026-11-20 10:00:00,123 INFO [main] a.B - x\n\n2026-11-20 10:00:01,000 ERROR [main] a.B - y\n";
  FileSourceOptions options;
  options.format = ParseFormat::log4j;
  const auto source = make_record_source(std::make_unique<MemoryByteSource>(log), options);
  QueryRequest request;
  request.query = "severity:error";
  request.explain = ExplainMode::analyze;
  request.now = at("2026-11-20T20:00:00Z");
  const ManualClock clock(request.now);
  const std::string text = run_query(request, make_source_input(*source), clock).whole;
  const auto document = parse_json_document(text);
  ASSERT_TRUE(document.has_value()) << text;
  const JsonValue& files = *document->find("read")->find("files");
  EXPECT_EQ(files.find("files")->as_int(), 1) << text;
  EXPECT_EQ(files.find("lines")->as_int(), 3) << "a blank one, too";
  EXPECT_EQ(files.find("unpacked_bytes")->as_int(), static_cast<std::int64_t>(log.size()));
  EXPECT_EQ(document->find("plan")->find("scan")->find("segments"), nullptr) << "files have none";
}

}  // namespace
}  // namespace dendro
