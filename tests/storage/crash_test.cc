#include <gtest/gtest.h>

#include <iostream>

#include "tests/storage/crash_model.h"

namespace dendro {
namespace {

TEST(Crash, LosesNothingAcknowledgedAndDoublesNothing) {
  const SeedRange seeds = seeds_from_environment(150);
  std::cout << "seeds " << seeds.first << " to " << seeds.first + seeds.count - 1
            << ", DENDRO_SEED takes one, DENDRO_SEEDS a count\n";
  for (std::uint64_t i = 0; i < seeds.count; ++i) {
    CrashModelOptions options;
    options.seed = seeds.first + i;
    const std::optional<std::string> wrong = run_crash_model(options);
    ASSERT_FALSE(wrong.has_value()) << *wrong;
  }
}

/// A test that passes without a sync proves nothing about it: each one is left out in turn, and must be missed.
class CrashWithout : public testing::TestWithParam<const char*> {};

TEST_P(CrashWithout, IsNoticed) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CrashModelOptions options;
    options.seed = seed;
    options.ignore_syncs_of = GetParam();
    if (const auto wrong = run_crash_model(options)) {
      std::cout << "without syncs of " << GetParam() << ": " << *wrong << "\n";
      return;
    }
  }
  FAIL() << "60 seeds pass without the syncs of " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Syncs, CrashWithout,
    testing::Values("/wal/spare",  // WAL files: a group is written under the name they were opened by
                    ".wal",        // what recovery read, which a killed process had not synced
                    "=/data/wal",  // names of WAL files
                    ".seg.tmp",    // segments, before they get their name
                    "/2023111",    // names of segments
                    "MANIFEST",    // edit groups
                    "CURRENT",     // its new text
                    "=/data"));    // names of CURRENT and manifests

}  // namespace
}  // namespace dendro
