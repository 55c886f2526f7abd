#include "base/timestamp.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

namespace dendro {
namespace {

TEST(Timestamp, PrintsAndReadsEveryInstant) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp t(static_cast<std::int64_t>(random()));
    const std::string text = to_rfc3339(t);
    ASSERT_EQ(parse_rfc3339(text), t) << text;
    ASSERT_EQ(canonical_rfc3339_digits(text, t), 9) << text;
  }
}

TEST(Timestamp, PrintsTheExtremesOfItsRange) {
  EXPECT_EQ(to_rfc3339(kTimestampMax), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(to_rfc3339(kTimestampMin), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(to_rfc3339(Timestamp(-1)), "1969-12-31T23:59:59.999999999Z");
}

TEST(Timestamp, TruncatesTheFractionItPrints) {
  const Timestamp t(1'999'999'999);
  EXPECT_EQ(to_rfc3339(t, 0), "1970-01-01T00:00:01Z");
  EXPECT_EQ(to_rfc3339(t, 3), "1970-01-01T00:00:01.999Z");
}

TEST(Timestamp, ReadsTheFormsOfRfc3339) {
  const auto base = parse_rfc3339("2026-11-20T10:00:00Z");
  ASSERT_TRUE(base.has_value());
  for (const char* text : {"2026-11-20t10:00:00z", "2026-11-20 10:00:00", "2026-11-20T11:00:00+01:00",
                           "2026-11-20T04:30:00-0530", "2026-11-20T12:00:00+02", "2026-11-20T10:00:00.000000000000Z"}) {
    EXPECT_EQ(parse_rfc3339(text), base) << text;
  }
  EXPECT_EQ(parse_rfc3339("2026-11-20T10:00:00", 3600), Timestamp(base->number() - 3600 * kNanosPerSecond));
  EXPECT_EQ(parse_rfc3339("2026-11-20T10:00:00,5Z"), Timestamp(base->number() + 500 * kNanosPerMilli));
  EXPECT_EQ(parse_rfc3339("2026-11-20T09:59:60Z"), base);  // a leap second is the next second
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx",
                           "2026-1-1T00:00:00Z", "1600-01-01T00:00:00Z", "2300-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z").has_value());
  EXPECT_FALSE(parse_rfc3339("2100-02-29T00:00:00Z").has_value());
}

TEST(Timestamp, KnowsCanonicalTextByItsDigits) {
  const auto digits = [](const char* text) { return canonical_rfc3339_digits(text, *parse_rfc3339(text)); };
  EXPECT_EQ(digits("2026-11-20T10:00:00Z"), 0);
  EXPECT_EQ(digits("2026-11-20T10:00:00.120Z"), 3);
  EXPECT_EQ(digits("2026-11-20 10:00:00Z"), std::nullopt);
  EXPECT_EQ(digits("2026-11-20T10:00:00+00:00"), std::nullopt);
  EXPECT_EQ(digits("2026-11-20T10:00:00.1234567891Z"), std::nullopt);
}

TEST(Timestamp, TellsTheUnitOfEpochNumbersBySize) {
  const Timestamp expected(1'700'000'000 * kNanosPerSecond);
  for (const std::int64_t number :
       {1'700'000'000LL, 1'700'000'000'000LL, 1'700'000'000'000'000LL, 1'700'000'000'000'000'000LL}) {
    EXPECT_EQ(timestamp_from_epoch(number), expected) << number;
  }
  EXPECT_EQ(timestamp_from_epoch(-1), Timestamp(-kNanosPerSecond));
  EXPECT_EQ(parse_epoch("1700000000.25"), Timestamp(expected.number() + 250 * kNanosPerMilli));
  EXPECT_EQ(parse_epoch("-1.5"), Timestamp(-1'500'000'000));
  for (const char* text : {"", "1.", "x", "1e9", "1700000000.25s"}) EXPECT_EQ(parse_epoch(text), std::nullopt) << text;
}

TEST(Timestamp, FindsTheDay) {
  const Timestamp t = *parse_rfc3339("2026-01-31T23:59:59.9Z");
  EXPECT_EQ(day_text(t), "20260131");
  EXPECT_EQ(to_rfc3339(day_start(t), 0), "2026-01-31T00:00:00Z");
  EXPECT_EQ(day_start(Timestamp(-1)), Timestamp(-kNanosPerDay));
  EXPECT_EQ(day_start(kTimestampMin), kTimestampMin);
}

}  // namespace
}  // namespace dendro
