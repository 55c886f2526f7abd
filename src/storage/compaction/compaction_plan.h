#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/timestamp.h"
#include "storage/manifest_edit.h"

namespace dendro {

/// Levels of a segment: from a flush, merged, and as it stays (kLastZstdLevel).
inline constexpr std::uint8_t kFlushLevel = 0;
inline constexpr std::uint8_t kMergedLevel = 1;
inline constexpr std::uint8_t kFinalLevel = 2;

struct CompactionRules {
  std::size_t fan_in = 8;                                        ///< segments merged at once, at least 2
  std::uint64_t final_bytes_min = std::uint64_t{512} << 20;      ///< raw; so much together is written in its final form
  std::uint64_t final_bytes_max = std::uint64_t{1} << 30;        ///< raw; no merge makes more
  std::chrono::nanoseconds settle_time = std::chrono::hours(1);  ///< a day is finished so long after its end
};

/// Which segments of one tenant and day to merge, and into what.
struct CompactionPlan {
  std::vector<SegmentId> inputs;  ///< one at least
  std::uint8_t level = kMergedLevel;
  std::uint64_t input_bytes = 0;  ///< of the files
};

enum class CompactionScope : std::uint8_t {
  due,        ///< what the rules ask for at `now`
  all_final,  ///< as if every day were finished
};

/// The next merge that is due among the segments of one tenant and day, or nothing. Pure. Carried out again and again
/// it ends: each one leaves fewer segments that are not final, or fewer final ones.
///
/// A day that goes on: `fan_in` segments of about one size (tiers of a factor `fan_in`) become one; merged ones that
/// hold `final_bytes_min` together become a final one. A finished day: the smallest are merged until `fan_in` are left;
/// these become final, in groups of at most `final_bytes_max`; a lone segment, too, is written once into its final
/// form. Late records make small final ones: `fan_in` of them are merged again.
std::optional<CompactionPlan> plan_compaction(std::span<const SegmentInfo> segments, Timestamp now,
                                              const CompactionRules& rules, CompactionScope scope);

/// Merges that are due and not done.
struct CompactionDebt {
  std::uint64_t days = 0;      ///< of tenants, with a merge that is due
  std::uint64_t segments = 0;  ///< not in their final form, in them
  std::uint64_t bytes = 0;     ///< of their files
};
/// Of the segments of all tenants. Pure.
CompactionDebt measure_debt(std::span<const SegmentInfo> segments, Timestamp now, const CompactionRules& rules,
                            CompactionScope scope);

}  // namespace dendro
