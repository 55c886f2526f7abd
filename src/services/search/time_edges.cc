#include "services/search/time_edges.h"

#include <algorithm>
#include <array>

namespace dendro {
namespace {

constexpr std::int64_t kEdgeSecond = kNanosPerSecond, kEdgeMinute = 60 * kEdgeSecond, kEdgeHour = 60 * kEdgeMinute;
constexpr std::int64_t kEdgeWeek = 7 * kNanosPerDay;
constexpr std::int64_t kEdgeFirstMonday = 4 * kNanosPerDay;  // 1970-01-05

constexpr std::array kHumanSteps = {
    1 * kEdgeSecond,  2 * kEdgeSecond, 5 * kEdgeSecond, 10 * kEdgeSecond, 15 * kEdgeSecond, 30 * kEdgeSecond,
    1 * kEdgeMinute,  2 * kEdgeMinute, 5 * kEdgeMinute, 10 * kEdgeMinute, 15 * kEdgeMinute, 30 * kEdgeMinute,
    1 * kEdgeHour,    2 * kEdgeHour,   3 * kEdgeHour,   6 * kEdgeHour,    12 * kEdgeHour,   1 * kNanosPerDay,
    2 * kNanosPerDay, 1 * kEdgeWeek,   2 * kEdgeWeek,   4 * kEdgeWeek,    8 * kEdgeWeek,    16 * kEdgeWeek,
    32 * kEdgeWeek,   64 * kEdgeWeek,  128 * kEdgeWeek, 256 * kEdgeWeek,  512 * kEdgeWeek,  1024 * kEdgeWeek,
};

std::int64_t floor_local(std::int64_t local, std::int64_t step) {
  const std::int64_t shift = step % kEdgeWeek == 0 ? kEdgeFirstMonday : 0;
  const std::int64_t rest = (local - shift) % step;
  return local - (rest < 0 ? rest + step : rest);
}

/// Edges of steps of at most an hour are that far apart whatever clocks do: changes are of half and full hours.
/// Longer ones go by local time, so that midnight stays midnight.
std::vector<Timestamp> edges_of(TimeRange range, const TimeZone& zone, std::int64_t step) {
  std::int64_t local = floor_local(zone.local_ns(range.first), step);
  std::vector<Timestamp> starts;
  if (step <= kEdgeHour) {
    const std::int64_t offset = zone.local_ns(range.first) - range.first.number();
    for (std::int64_t at = local - offset; at < range.last.number(); at += step) starts.emplace_back(at);
    return starts;
  }
  for (Timestamp at = zone.instant_of(local); at < range.last; at = zone.instant_of(local)) {
    if (!starts.empty() && at <= range.first) starts.clear();  // an hour shown twice: the later reading holds the start
    if (starts.empty() || starts.back() < at) starts.push_back(at);
    local += step;
  }
  return starts;
}

}  // namespace

TimeEdges choose_time_edges(TimeRange range, const TimeZone& zone, std::size_t buckets_max) {
  if (range.last <= range.first) return {};
  // Ends of the representable time leave room for the arithmetic below.
  constexpr std::int64_t kRoom = 2048 * kEdgeWeek;
  range.first = std::max(range.first, Timestamp(kTimestampMin.number() + kRoom));
  range.last = std::min(range.last, Timestamp(kTimestampMax.number() - kRoom));
  if (range.last <= range.first) return {};
  const double width = static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
  TimeEdges edges;
  for (const std::int64_t step : kHumanSteps) {
    if (width / static_cast<double>(step) > static_cast<double>(buckets_max) && step != kHumanSteps.back()) continue;
    edges = {step, edges_of(range, zone, step)};
    if (edges.starts.size() <= buckets_max) break;
  }
  return edges;
}

}  // namespace dendro
