#include "services/search/time_edges.h"

#include <gtest/gtest.h>

#include <random>

namespace dendro {
namespace {

Timestamp at_time(const char* text) {
  return *parse_rfc3339(text);
}

TEST(TimeEdges, TakesTheNarrowestStepPeopleCountIn) {
  const auto step_of = [](const char* last, std::size_t buckets_max) {
    return choose_time_edges({at_time("2026-11-20T10:00:00Z"), at_time(last)}, *TimeZone::utc(), buckets_max).step_ns /
           kNanosPerSecond;
  };
  EXPECT_EQ(step_of("2026-11-20T10:00:30Z", 120), 1);
  EXPECT_EQ(step_of("2026-11-20T10:02:00Z", 120), 1);
  EXPECT_EQ(step_of("2026-11-20T10:02:01Z", 120), 2);
  EXPECT_EQ(step_of("2026-11-20T11:00:00Z", 120), 30);
  EXPECT_EQ(step_of("2026-11-20T11:00:00Z", 60), 60);
  EXPECT_EQ(step_of("2026-11-21T10:00:00Z", 120), 15 * 60);
  EXPECT_EQ(step_of("2026-11-27T10:00:00Z", 120), 2 * 3600);
  EXPECT_EQ(step_of("2027-11-20T10:00:00Z", 120), 7 * 86400);
  EXPECT_EQ(step_of("2026-11-20T10:00:01Z", 1), 1);
}

TEST(TimeEdges, BeginAtRoundLocalTimes) {
  const auto zone = *TimeZone::find("Europe/Berlin");
  // Clocks go back on 2026-10-25 at 01:00 UTC.
  const TimeEdges days =
      choose_time_edges({at_time("2026-10-24T12:00:00Z"), at_time("2026-10-27T12:00:00Z")}, *zone, 5);
  EXPECT_EQ(days.step_ns, kNanosPerDay);
  ASSERT_EQ(days.starts.size(), 4u);
  EXPECT_EQ(to_rfc3339(days.starts[0], 0), "2026-10-23T22:00:00Z");
  EXPECT_EQ(to_rfc3339(days.starts[1], 0), "2026-10-24T22:00:00Z");
  EXPECT_EQ(to_rfc3339(days.starts[2], 0), "2026-10-25T23:00:00Z");
  const TimeEdges noons =
      choose_time_edges({at_time("2026-10-24T12:00:00Z"), at_time("2026-10-27T12:00:00Z")}, *zone, 8);
  EXPECT_EQ(noons.step_ns / kNanosPerSecond, 12 * 3600);
  EXPECT_EQ(to_rfc3339(noons.starts[0], 0), "2026-10-24T10:00:00Z");
  EXPECT_EQ(to_rfc3339(noons.starts[2], 0), "2026-10-25T11:00:00Z");
}

TEST(TimeEdges, AnOddOffsetMovesTheEdges) {
  const auto zone = TimeZone::fixed(5 * 3600 + 45 * 60);
  const TimeEdges edges =
      choose_time_edges({at_time("2026-11-20T10:00:00Z"), at_time("2026-11-20T20:00:00Z")}, *zone, 12);
  EXPECT_EQ(edges.step_ns / kNanosPerSecond, 3600);
  EXPECT_EQ(to_rfc3339(edges.starts[0], 0), "2026-11-20T09:15:00Z");
}

TEST(TimeEdges, CoverAnyRangeWithinTheLimit) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto berlin = *TimeZone::find("Europe/Berlin");
  for (int i = 0; i < 500; ++i) {
    const Timestamp first(at_time("1990-01-01T00:00:00Z").number() +
                          static_cast<std::int64_t>(random() % 2'000'000'000) * kNanosPerSecond);
    const std::int64_t width = static_cast<std::int64_t>((std::uint64_t{1} << (random() % 60)) + random() % 1000);
    const Timestamp last(std::min(first.number() + width, at_time("2200-01-01T00:00:00Z").number()));
    const std::size_t buckets_max = 2 + random() % 200;
    const TimeEdges edges = choose_time_edges({first, last}, *berlin, buckets_max);
    ASSERT_FALSE(edges.starts.empty());
    EXPECT_LE(edges.starts.size(), buckets_max) << to_rfc3339(first) << " " << to_rfc3339(last);
    EXPECT_LE(edges.starts.front(), first);
    EXPECT_LT(edges.starts.back(), last);
    if (edges.starts.size() > 1) {
      EXPECT_GT(edges.starts[1], first) << to_rfc3339(first) << " " << edges.step_ns;
    }
  }
}

TEST(TimeEdges, NothingForAnEmptyRange) {
  EXPECT_TRUE(choose_time_edges({Timestamp(5), Timestamp(5)}, *TimeZone::utc(), 10).starts.empty());
}

}  // namespace
}  // namespace dendro
