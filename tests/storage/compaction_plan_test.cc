#include "storage/compaction/compaction_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "tests/storage/crash_model.h"

namespace dendro {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr Timestamp kPlanDay{19'000 * kNanosPerDay};
constexpr Timestamp kNoon{kPlanDay.number() + kNanosPerDay / 2};
constexpr Timestamp kLongAfter{kPlanDay.number() + 3 * kNanosPerDay};

class Day {
 public:
  SegmentId add(std::uint64_t raw_bytes, std::uint8_t level = kFlushLevel) {
    SegmentInfo info;
    info.id = SegmentId(next_);
    info.day = kPlanDay;
    info.level = level;
    info.raw_bytes = raw_bytes;
    info.file_bytes = raw_bytes / 10;
    info.first_sequence = SequenceNumber(next_ * 100);
    ++next_;
    segments.push_back(info);
    return info.id;
  }
  std::optional<CompactionPlan> plan(Timestamp now, CompactionScope scope = CompactionScope::due) const {
    return plan_compaction(segments, now, rules, scope);
  }
  void apply(const CompactionPlan& plan) {
    std::uint64_t raw = 0;
    for (const SegmentId id : plan.inputs) {
      const auto found =
          std::find_if(segments.begin(), segments.end(), [id](const auto& info) { return info.id == id; });
      ASSERT_NE(found, segments.end());
      raw += found->raw_bytes;
      segments.erase(found);
    }
    raw_written += raw;
    add(raw, plan.level);
  }
  std::vector<SegmentInfo> segments;
  CompactionRules rules;
  std::uint64_t raw_written = 0;

 private:
  std::uint64_t next_ = 1;
};

TEST(CompactionPlan, LeavesAFewFreshSegmentsOfARunningDay) {
  Day day;
  for (int i = 0; i < 7; ++i) day.add(64 * kMiB);
  EXPECT_FALSE(day.plan(kNoon).has_value());
}

TEST(CompactionPlan, MergesEightOfOneSizeAndWritesTheTargetSizeInItsFinalForm) {
  Day small;
  for (int i = 0; i < 8; ++i) small.add(20 * kMiB);
  const auto merge = small.plan(kNoon);
  ASSERT_TRUE(merge.has_value());
  EXPECT_EQ(merge->inputs.size(), 8u);
  EXPECT_EQ(merge->level, kMergedLevel);
  EXPECT_EQ(merge->input_bytes, 8 * (2 * kMiB));
  Day large;
  for (int i = 0; i < 8; ++i) large.add(64 * kMiB);
  EXPECT_EQ(large.plan(kNoon)->level, kFinalLevel);
}

TEST(CompactionPlan, JoinsMergedSegmentsAtTargetSize) {
  Day day;
  day.add(300 * kMiB, kMergedLevel);
  EXPECT_FALSE(day.plan(kNoon).has_value());
  day.add(300 * kMiB, kMergedLevel);
  const auto plan = day.plan(kNoon);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs.size(), 2u);
  EXPECT_EQ(plan->level, kFinalLevel);
}

TEST(CompactionPlan, KeepsDifferentSizesApart) {
  Day day;
  for (int i = 0; i < 5; ++i) day.add(64 * kMiB);
  for (int i = 0; i < 5; ++i) day.add(kMiB / 10);
  EXPECT_FALSE(day.plan(kNoon).has_value());
}

TEST(CompactionPlan, NeverMakesMoreThanTheLargestSize) {
  Day day;
  for (int i = 0; i < 8; ++i) day.add(300 * kMiB);
  EXPECT_EQ(day.plan(kLongAfter)->inputs.size(), 3u);
}

TEST(CompactionPlan, WritesALoneSegmentOfAFinishedDayOnceMore) {
  Day day;
  day.add(kMiB);
  EXPECT_FALSE(day.plan(kNoon).has_value());
  const Timestamp end(kPlanDay.number() + kNanosPerDay);
  EXPECT_FALSE(day.plan(Timestamp(end.number() + 3'599 * kNanosPerSecond)).has_value());
  const auto plan = day.plan(Timestamp(end.number() + 3'600 * kNanosPerSecond));
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->level, kFinalLevel);
  day.apply(*plan);
  EXPECT_FALSE(day.plan(kLongAfter).has_value());
}

TEST(CompactionPlan, TakesEverythingToItsFinalFormWhenAsked) {
  Day day;
  day.add(kMiB);
  day.add(2 * kMiB);
  EXPECT_EQ(day.plan(kNoon, CompactionScope::all_final)->inputs.size(), 2u);
  EXPECT_FALSE(day.plan(kNoon).has_value());
}

TEST(CompactionPlan, MergesSmallFinalSegmentsOfLateRecordsAgain) {
  Day day;
  day.add(900 * kMiB, kFinalLevel);
  for (int i = 0; i < 7; ++i) day.add(kMiB, kFinalLevel);
  EXPECT_FALSE(day.plan(kLongAfter).has_value());
  day.add(kMiB, kFinalLevel);
  const auto plan = day.plan(kLongAfter);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs.size(), 8u);
  EXPECT_EQ(plan->level, kFinalLevel);
}

TEST(CompactionPlan, TakesDaysAtBothEndsOfTime) {
  Day day;
  day.add(kMiB);
  day.segments[0].day = kTimestampMin;
  EXPECT_TRUE(day.plan(kTimestampMax).has_value());
  day.segments[0].day = kTimestampMax;
  EXPECT_FALSE(day.plan(kTimestampMin).has_value());
}

/// Whatever is flushed, planning ends, what it leaves is final once the day is over, and little is written twice.
TEST(CompactionPlan, EndsAndWritesEachByteAFewTimesOnly) {
  const SeedRange seeds = seeds_from_environment(200);
  std::cout << "seeds " << seeds.first << " to " << seeds.first + seeds.count - 1 << "\n";
  double worst = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    std::mt19937_64 random(seed);
    Day day;
    day.rules.fan_in = 2 + random() % 9;
    std::uint64_t raw = 0;
    const auto run = [&](Timestamp now) {
      int steps = 0;
      while (const auto plan = day.plan(now)) {
        ASSERT_FALSE(plan->inputs.empty());
        ASSERT_LE(plan->inputs.size(), day.rules.fan_in);
        day.apply(*plan);
        ASSERT_LT(++steps, 10'000) << "seed " << seed;
        ASSERT_TRUE(plan->inputs.size() == 1 || day.segments.back().raw_bytes <= day.rules.final_bytes_max);
      }
    };
    for (std::uint64_t i = 0, count = 1 + random() % 300; i < count; ++i) {
      const std::uint64_t bytes = random() % 4 == 0 ? random() % (80 * kMiB) : 60 * kMiB + random() % (8 * kMiB);
      raw += bytes;
      day.add(bytes);
      run(kNoon);
    }
    run(kLongAfter);
    for (const SegmentInfo& info : day.segments) EXPECT_EQ(info.level, kFinalLevel) << "seed " << seed;
    if (raw > 0 && day.rules.fan_in == 8) {
      worst = std::max(worst, static_cast<double>(day.raw_written) / static_cast<double>(raw));
    }
  }
  std::cout << "raw bytes written again per raw byte, fan-in 8, worst of the seeds: " << worst << "\n";
  EXPECT_LT(worst, 4);
}

}  // namespace
}  // namespace dendro
