#include "services/analyze/analyze_render.h"

#include <gtest/gtest.h>

#include "base/json_document.h"
#include "services/analyze/analyze_params.h"

namespace dendro {
namespace {

AnalyzeReport sample_report() {
  AnalyzeReport report;
  report.counted.total = 12;
  report.counted.by_service = {{"b\"x,y", 10}, {"caf\u00e9\n", 2}};
  report.counted.lines = 20;
  report.counted.skipped_by_reason = {1, 2, 0, 0, 0};
  report.alert = true;
  report.threshold = 3;
  report.objects = {"k"};
  return report;
}

TEST(AnalyzeRender, JsonIsExact) {
  EXPECT_EQ(render_report(sample_report(), AnalyzeFormat::json),
            "{\n  \"total\": 12,\n  \"byService\": {\n    \"b\\\"x,y\": 10,\n    \"caf\u00e9\\n\": 2\n  },\n  "
            "\"alert\": true\n}\n");
  EXPECT_EQ(render_report({}, AnalyzeFormat::json),
            "{\n  \"total\": 0,\n  \"byService\": {},\n  \"alert\": false\n}\n");
  EXPECT_EQ(render_report(sample_report(), AnalyzeFormat::json_compact),
            "{\"total\":12,\"byService\":{\"b\\\"x,y\":10,\"caf\u00e9\\n\":2},\"alert\":true}");
}

TEST(AnalyzeRender, DetailsAreOneMemberMore) {
  const auto document = parse_json_document(render_report(sample_report(), AnalyzeFormat::json, AnalyzeDetails::shown));
  ASSERT_TRUE(document.has_value());
  ASSERT_EQ(document->members().size(), 4u);
  const JsonValue* details = document->find("details");
  EXPECT_EQ(details->find("object")->as_string(), "k");
  EXPECT_EQ(details->find("lines")->as_int(), 20);
  EXPECT_EQ(details->find("counted")->as_int(), 12);
  EXPECT_EQ(details->find("skipped")->find("not_json")->as_int(), 2);
}

TEST(AnalyzeRender, CsvQuotesAndTableShowsNoControls) {
  EXPECT_EQ(render_report(sample_report(), AnalyzeFormat::csv), "service,count\n\"b\"\"x,y\",10\n\"caf\u00e9\n\",2\n");
  EXPECT_EQ(render_report(sample_report(), AnalyzeFormat::table),
            "SERVICE  COUNT\nb\"x,y       10\ncaf\u00e9?        2\ntotal       12\nalert: yes (threshold 3)\n");
  EXPECT_NE(
      render_report(sample_report(), AnalyzeFormat::table, AnalyzeDetails::none, AnalyzeColours::ansi).find("\033["),
      std::string::npos);
}

TEST(AnalyzeRender, SaysHowManyLinesWereSkippedAndWhy) {
  EXPECT_EQ(skipped_text(sample_report().counted), "3 lines skipped: 1 not UTF-8, 2 not JSON");
  CountResult one;
  one.skipped_by_reason = {0, 0, 1, 0, 0};
  EXPECT_EQ(skipped_text(one), "1 line skipped: 1 not an object");
  EXPECT_EQ(skipped_text({}), "");
}

TEST(AnalyzeParams, ThresholdsAreIntegersBelow2To63) {
  EXPECT_EQ(parse_threshold("0"), 0u);
  EXPECT_EQ(parse_threshold("+5"), 5u);
  EXPECT_EQ(parse_threshold("9223372036854775807"), 9223372036854775807u);
  for (const char* bad : {"9223372036854775808", "-1", "", "abc", "1.0", "0x1", " 1", "99999999999999999999999"}) {
    EXPECT_FALSE(parse_threshold(bad).has_value()) << bad;
  }
}

TEST(AnalyzeParams, SinceTakesTimesDatesAndEpochs) {
  EXPECT_EQ(parse_since("2025-09-15"), parse_rfc3339("2025-09-15T00:00:00Z"));
  EXPECT_EQ(parse_since("2025-09-15T14:10:04"), parse_rfc3339("2025-09-15T14:10:04Z"));
  EXPECT_EQ(parse_since("1757945404"), parse_rfc3339("2025-09-15T14:10:04Z"));
  EXPECT_FALSE(parse_since("yesterday").has_value());
  EXPECT_FALSE(parse_since("2025-13-15").has_value());
}

TEST(AnalyzeParams, BooleanWords) {
  EXPECT_EQ(parse_boolean_word("TRUE"), true);
  EXPECT_EQ(parse_boolean_word("off"), false);
  EXPECT_FALSE(parse_boolean_word("maybe").has_value());
  EXPECT_FALSE(parse_boolean_word("").has_value());
}

TEST(AnalyzeParams, LocalBucketsMustBeNamedWordForWord) {
  const std::vector<std::string> all = {"*"};
  const std::vector<std::string> some = {"logs-*", "file:///var/log/app/"};
  EXPECT_TRUE(is_bucket_allowed("anything", all));
  EXPECT_FALSE(is_bucket_allowed("file:///etc", all));
  EXPECT_FALSE(is_bucket_allowed("file:///etc", std::vector<std::string>{"file:///*"}));
  EXPECT_TRUE(is_bucket_allowed("logs-eu", some));
  EXPECT_FALSE(is_bucket_allowed("other", some));
  EXPECT_TRUE(is_bucket_allowed("file:///var/log/app", some));
  EXPECT_FALSE(is_bucket_allowed("file:///var/log/app/../..", some));
  EXPECT_FALSE(is_bucket_allowed("file:///var/log/app/sub", some));
}

}  // namespace
}  // namespace dendro
