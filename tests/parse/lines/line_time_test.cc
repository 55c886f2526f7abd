#include "parse/lines/line_time.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

const LineTimeDefaults kTimes{*parse_rfc3339("2026-01-02T10:00:00Z"), 0};

std::string read(std::string_view text, const LineTimeDefaults& times = kTimes) {
  const auto time = LineTimeReader(times).read(text);
  if (!time) return "none";
  return to_rfc3339(time->time, time->fraction_digits) + "|" + std::string(text.substr(time->size));
}

TEST(LineTime, ReadsWhatLogsBeginWith) {
  EXPECT_EQ(read("2026-11-20T10:00:00.123Z x"), "2026-11-20T10:00:00.123Z| x");
  EXPECT_EQ(read("2026-11-20 10:00:00,123 +0130 x"), "2026-11-20T08:30:00.123Z| x");
  EXPECT_EQ(read("2026-11-20 10:00:00.5-05:00 x"), "2026-11-20T15:00:00.5Z| x");
  EXPECT_EQ(read("2026-11-20 10:00:00 UTC x"), "2026-11-20T10:00:00Z| x");
  EXPECT_EQ(read("2026-11-20 10:00:00:123 x"), "2026-11-20T10:00:00.123Z| x");
  EXPECT_EQ(read("2026-11-20 10:00:00: x"), "2026-11-20T10:00:00Z|: x");
  EXPECT_EQ(read("2026-11-20 10:00:00 - INFO"), "2026-11-20T10:00:00Z| - INFO");
  EXPECT_EQ(read("2026/11/20 10:00:00 x"), "2026-11-20T10:00:00Z| x");
  EXPECT_EQ(read("17/06/09 20:10:40 INFO"), "2017-06-09T20:10:40Z| INFO");
  EXPECT_EQ(read("081109 203615 148"), "2008-11-09T20:36:15Z| 148");
  EXPECT_EQ(read("Sun Dec 04 04:47:44.123456 2005] x"), "2005-12-04T04:47:44.123456Z|] x");
  EXPECT_EQ(read("Nov 20, 2026 1:00:00 PM x"), "2026-11-20T13:00:00Z| x");
  EXPECT_EQ(read("Nov 20 2026 10:00:00 x"), "2026-11-20T10:00:00Z| x");
  EXPECT_EQ(read("10/26/2025 12:07:25 AM, Error"), "2025-10-26T00:07:25Z|, Error");
  EXPECT_EQ(read("26/10/2025 10:07:25 x"), "2025-10-26T10:07:25Z| x");
  EXPECT_EQ(read("26.10.2025 10:07:25,1 x"), "2025-10-26T10:07:25.1Z| x");
  EXPECT_EQ(read("20 Nov 2026 10:00:00.123 * x"), "2026-11-20T10:00:00.123Z| * x");
  EXPECT_EQ(read("20/Nov/2026:10:00:00 +0100] x"), "2026-11-20T09:00:00Z|] x");
  EXPECT_EQ(read("2026-11-20 10:00:00 x", {kTimes.reference, 3600}), "2026-11-20T09:00:00Z| x");
}

TEST(LineTime, TakesTheYearFromTheReference) {
  EXPECT_EQ(read("Jan  2 09:00:00 x"), "2026-01-02T09:00:00Z| x");
  EXPECT_EQ(read("Jan  3 09:00:00 x"), "2026-01-03T09:00:00Z| x") << "a day of slack";
  EXPECT_EQ(read("Jan  4 09:00:00 x"), "2025-01-04T09:00:00Z| x");
  EXPECT_EQ(read("Dec 31 23:59:59 x"), "2025-12-31T23:59:59Z| x") << "over New Year";
  EXPECT_EQ(read("Feb 29 10:00:00 x"), "2024-02-29T10:00:00Z| x");
  EXPECT_EQ(read("01-01 16:13:38.811 x"), "2026-01-01T16:13:38.811Z| x");
  EXPECT_EQ(read("09:00:00.5 x"), "2026-01-02T09:00:00.5Z| x");
  EXPECT_EQ(read("11:30:00 x"), "2026-01-01T11:30:00Z| x");
}

TEST(LineTime, RefusesWhatIsNoTime) {
  for (const char* text : {"", "x", "2026-13-20 10:00:00", "2026-02-30 10:00:00", "2026-11-20 24:00:00", "2026-11-20",
                           "2026-11-20 10:00", "2026-11-20 10:00:0", "2026-11-20 10:00:001", "10:00:00x", "Nov 20",
                           "May I ask", "1234567", "9999-11-20 10:00:00"}) {
    EXPECT_EQ(read(text), "none") << text;
  }
}

TEST(LineTime, AnOffsetThatIsNoneBelongsToTheRest) {
  EXPECT_EQ(read("2026-11-20 10:00:00 -1 x"), "2026-11-20T10:00:00Z| -1 x");
  EXPECT_EQ(read("2026-11-20 10:00:00 +99:00"), "2026-11-20T10:00:00Z| +99:00");
  EXPECT_EQ(read("2026-11-20 10:00:00 Zed"), "2026-11-20T10:00:00Z| Zed");
}

}  // namespace
}  // namespace dendro
