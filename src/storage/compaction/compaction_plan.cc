#include "storage/compaction/compaction_plan.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace dendro {
namespace {

using Candidates = std::vector<const SegmentInfo*>;

/// Segments below it are of one size.
constexpr std::uint64_t kSmallestTierBytes = std::uint64_t{1} << 20;

std::uint64_t raw_bytes_of(std::span<const SegmentInfo* const> segments) {
  std::uint64_t bytes = 0;
  for (const SegmentInfo* segment : segments) bytes += segment->raw_bytes;
  return bytes;
}

/// Oldest records first: segments that follow each other overlap little.
void order_by_sequence(Candidates& segments) {
  std::sort(segments.begin(), segments.end(), [](const SegmentInfo* a, const SegmentInfo* b) {
    return std::tie(a->first_sequence, a->id) < std::tie(b->first_sequence, b->id);
  });
}

void order_by_size(Candidates& segments) {
  std::sort(segments.begin(), segments.end(), [](const SegmentInfo* a, const SegmentInfo* b) {
    return std::tie(a->raw_bytes, a->id) < std::tie(b->raw_bytes, b->id);
  });
}

/// How many from the front may be merged: at most fan_in and, beyond the first, no more than final_bytes_max.
std::size_t count_mergeable(const Candidates& segments, const CompactionRules& rules) {
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  while (count < std::min(segments.size(), rules.fan_in)) {
    bytes += segments[count]->raw_bytes;
    if (count > 0 && bytes > rules.final_bytes_max) break;
    ++count;
  }
  return count;
}

CompactionPlan plan_front(const Candidates& segments, std::size_t count, std::uint8_t level) {
  CompactionPlan plan;
  plan.level = level;
  for (std::size_t i = 0; i < count; ++i) {
    plan.inputs.push_back(segments[i]->id);
    plan.input_bytes += segments[i]->file_bytes;
  }
  return plan;
}

std::size_t tier_of(std::uint64_t raw_bytes, const CompactionRules& rules) {
  std::size_t tier = 0;
  for (std::uint64_t bytes = raw_bytes / kSmallestTierBytes; bytes > 0; bytes /= rules.fan_in) ++tier;
  return tier;
}

std::optional<CompactionPlan> plan_finished_day(Candidates pending, const CompactionRules& rules) {
  if (pending.size() > rules.fan_in) {
    order_by_size(pending);
    const std::size_t count = count_mergeable(pending, rules);
    if (count == rules.fan_in && raw_bytes_of({pending.data(), count}) < rules.final_bytes_min) {
      return plan_front(pending, count, kMergedLevel);
    }
  }
  order_by_sequence(pending);
  return plan_front(pending, count_mergeable(pending, rules), kFinalLevel);
}

std::optional<CompactionPlan> plan_final_ones(const Candidates& settled, const CompactionRules& rules) {
  Candidates small;
  for (const SegmentInfo* segment : settled) {
    if (segment->raw_bytes < rules.final_bytes_min) small.push_back(segment);
  }
  if (small.size() < rules.fan_in) return std::nullopt;
  order_by_size(small);
  const std::size_t count = count_mergeable(small, rules);
  return count < 2 ? std::nullopt : std::optional(plan_front(small, count, kFinalLevel));
}

std::optional<CompactionPlan> plan_running_day(const Candidates& pending, const CompactionRules& rules) {
  std::map<std::size_t, Candidates> tiers;
  Candidates merged;
  for (const SegmentInfo* segment : pending) {
    tiers[tier_of(segment->raw_bytes, rules)].push_back(segment);
    if (segment->level > kFlushLevel || segment->raw_bytes >= rules.final_bytes_min) merged.push_back(segment);
  }
  for (auto& [tier, segments] : tiers) {
    if (segments.size() < rules.fan_in) continue;
    order_by_sequence(segments);
    const std::size_t count = count_mergeable(segments, rules);
    if (count < 2) continue;
    const bool is_large = raw_bytes_of({segments.data(), count}) >= rules.final_bytes_min;
    return plan_front(segments, count, is_large ? kFinalLevel : kMergedLevel);
  }
  order_by_sequence(merged);
  const std::size_t count = count_mergeable(merged, rules);
  const bool is_large = count > 0 && raw_bytes_of({merged.data(), count}) >= rules.final_bytes_min;
  return is_large ? std::optional(plan_front(merged, count, kFinalLevel)) : std::nullopt;
}

bool is_finished(Timestamp day, Timestamp now, const CompactionRules& rules) {
  // The day's end and the settling time behind it may lie beyond the range of times.
  return (static_cast<__int128>(now.number()) - day.number()) >= __int128{kNanosPerDay} + rules.settle_time.count();
}

}  // namespace

std::optional<CompactionPlan> plan_compaction(std::span<const SegmentInfo> segments, Timestamp now,
                                              const CompactionRules& rules, CompactionScope scope) {
  Candidates pending;
  Candidates settled;
  for (const SegmentInfo& segment : segments) (segment.level < kFinalLevel ? pending : settled).push_back(&segment);
  if (!pending.empty()) {
    const bool is_final = scope == CompactionScope::all_final || is_finished(segments.front().day, now, rules);
    if (is_final) return plan_finished_day(std::move(pending), rules);
    if (auto plan = plan_running_day(pending, rules)) return plan;
  }
  return plan_final_ones(settled, rules);
}

CompactionDebt measure_debt(std::span<const SegmentInfo> segments, Timestamp now, const CompactionRules& rules,
                            CompactionScope scope) {
  std::map<std::pair<TenantId, Timestamp>, std::vector<SegmentInfo>> days;
  for (const SegmentInfo& segment : segments) days[{segment.tenant, segment.day}].push_back(segment);
  CompactionDebt debt;
  for (const auto& [place, of_day] : days) {
    if (!plan_compaction(of_day, now, rules, scope)) continue;
    ++debt.days;
    for (const SegmentInfo& segment : of_day) {
      if (segment.level >= kFinalLevel) continue;
      ++debt.segments;
      debt.bytes += segment.file_bytes;
    }
  }
  return debt;
}

}  // namespace dendro
