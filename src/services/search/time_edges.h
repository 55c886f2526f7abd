#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time_zone.h"
#include "base/timestamp.h"

namespace dendro {

/// Buckets that cover a range of time.
struct TimeEdges {
  std::int64_t step_ns = 0;       ///< width as people say it; a bucket in which clocks change may be longer or shorter
  std::vector<Timestamp> starts;  ///< rising; each bucket ends where the next begins
};

/// The narrowest step people count in (1, 2, 5, 10, 15, 30 s and min, 1, 2, 3, 6, 12 h, 1, 2, 7, 14 d, ..) with at
/// most `buckets_max` (1 or more) buckets; their edges are round on the clocks of `zone`: full hours, midnights,
/// Mondays. The first bucket holds range.first, the last one the instant before range.last. Nothing for an empty
/// range. Where even the widest step cuts the range once more than `buckets_max` allows, that is the answer.
TimeEdges choose_time_edges(TimeRange range, const TimeZone& zone, std::size_t buckets_max);

}  // namespace dendro
