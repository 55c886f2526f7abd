#include "filter/time_literal.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

const TimeReading kTimeReading{*parse_rfc3339("2026-11-20T10:05:00Z"), 0};

std::string instant(std::string_view text, TimeReading reading = kTimeReading) {
  const auto range = parse_instant(text, reading);
  return range ? to_rfc3339(range->first, 0) + " " + to_rfc3339(range->last, 0) : "none";
}

TEST(TimeLiteral, PartialTimesAreIntervals) {
  EXPECT_EQ(instant("2026"), "2026-01-01T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(instant("2026-12"), "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(instant("2024-02"), "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z");
  EXPECT_EQ(instant("2026-11-20"), "2026-11-20T00:00:00Z 2026-11-21T00:00:00Z");
  EXPECT_EQ(instant("2026-11-20T10"), "2026-11-20T10:00:00Z 2026-11-20T11:00:00Z");
  EXPECT_EQ(instant("2026-11-20T11:02+01:00"), "2026-11-20T10:02:00Z 2026-11-20T10:03:00Z");
  EXPECT_EQ(instant("2026-11-20T10:02:59Z"), "2026-11-20T10:02:59Z 2026-11-20T10:03:00Z");
  EXPECT_EQ(instant("2026-11-20", {kTimeReading.now, 3600}), "2026-11-19T23:00:00Z 2026-11-20T23:00:00Z");
  for (const char* bad : {"2026-13", "2026-02-30", "2026-11-20T24", "2026-11-20T10:60", "2026-11-20Tx", "x", "",
                          "2026-11-20T10:02+25:00"}) {
    EXPECT_EQ(instant(bad), "none") << bad;
  }
}

TEST(TimeLiteral, FractionsAndNumbersAreInstants) {
  const auto fraction = parse_instant("2026-11-20T10:02:59.5Z", kTimeReading);
  EXPECT_EQ(fraction->last.number() - fraction->first.number(), 1);
  EXPECT_EQ(instant("1795169100"), "2026-11-20T10:05:00Z 2026-11-20T10:05:00Z");
  EXPECT_EQ(instant("1795169100000"), "2026-11-20T10:05:00Z 2026-11-20T10:05:00Z");
  EXPECT_EQ(instant("now-5m"), "2026-11-20T10:00:00Z 2026-11-20T10:00:00Z");
  EXPECT_EQ(instant("now"), "2026-11-20T10:05:00Z 2026-11-20T10:05:00Z");
  EXPECT_EQ(instant("now-5x"), "none");
}

TEST(TimeLiteral, Durations) {
  EXPECT_EQ(parse_duration("1h30m"), 5400 * kNanosPerSecond);
  EXPECT_EQ(parse_duration("1.5h"), 5400 * kNanosPerSecond);
  EXPECT_EQ(parse_duration("-5m"), -300 * kNanosPerSecond);
  EXPECT_EQ(parse_duration("1y"), 365 * kNanosPerDay);
  for (const char* bad : {"", "5", "5x", "m", "1.h", "1h 5m", "999999999y", "1.2.3s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(TimeLiteral, Offsets) {
  EXPECT_EQ(parse_utc_offset(""), 0);
  EXPECT_EQ(parse_utc_offset("+01:00"), 3600);
  EXPECT_EQ(parse_utc_offset("-0530"), -19800);
  EXPECT_FALSE(parse_utc_offset("Europe/Berlin").has_value());
  EXPECT_FALSE(parse_utc_offset("+24:00").has_value());
}

}  // namespace
}  // namespace dendro
