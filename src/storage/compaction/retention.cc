#include "storage/compaction/retention.h"

#include <algorithm>
#include <utility>

namespace dendro {
namespace {

/// Bytes of each day, oldest first and tenants in order within a day.
using DaySizes = std::map<std::pair<Timestamp, TenantId>, std::uint64_t>;

class RetentionPlanner {
 public:
  RetentionPlanner(std::span<const SegmentInfo> segments, const RetentionRules& rules) : rules_(rules) {
    for (const SegmentInfo& segment : segments) {
      days_[{segment.day, segment.tenant}] += segment.file_bytes;
      tenant_bytes_[segment.tenant] += segment.file_bytes;
      Timestamp& newest = newest_day_.try_emplace(segment.tenant, segment.day).first->second;
      newest = std::max(newest, segment.day);
      total_bytes_ += segment.file_bytes;
    }
  }

  std::vector<DropDay> run(Timestamp now) {
    drop_if([&](Timestamp day, const TenantId& tenant) { return is_too_old(day, rule_of(tenant).max_age, now); });
    drop_if([&](Timestamp day, const TenantId& tenant) {
      const std::optional<std::uint64_t>& bytes_max = rule_of(tenant).max_bytes;
      return bytes_max && tenant_bytes_[tenant] > *bytes_max && day < newest_day_.at(tenant);
    });
    drop_if([&](Timestamp day, const TenantId& tenant) {
      return rules_.total_bytes && total_bytes_ > *rules_.total_bytes && day < newest_day_.at(tenant);
    });
    std::sort(dropped_.begin(), dropped_.end(), [](const DropDay& a, const DropDay& b) { return a.day < b.day; });
    return std::move(dropped_);
  }

 private:
  const RetentionRule& rule_of(const TenantId& tenant) const {
    const auto found = rules_.tenants.find(tenant);
    return found == rules_.tenants.end() ? rules_.standard : found->second;
  }

  static bool is_too_old(Timestamp day, const std::optional<std::chrono::nanoseconds>& max_age, Timestamp now) {
    if (!max_age) return false;
    return static_cast<__int128>(now.number()) - day.number() >= __int128{kNanosPerDay} + max_age->count();
  }

  template <typename IsDropped>
  void drop_if(const IsDropped& is_dropped) {
    for (auto entry = days_.begin(); entry != days_.end();) {
      const auto& [day, tenant] = entry->first;
      if (!is_dropped(day, tenant)) {
        ++entry;
        continue;
      }
      tenant_bytes_[tenant] -= entry->second;
      total_bytes_ -= entry->second;
      dropped_.push_back({tenant, day});
      entry = days_.erase(entry);
    }
  }

  const RetentionRules& rules_;
  DaySizes days_;
  std::map<TenantId, std::uint64_t> tenant_bytes_;
  std::map<TenantId, Timestamp> newest_day_;
  std::uint64_t total_bytes_ = 0;
  std::vector<DropDay> dropped_;
};

}  // namespace

bool RetentionRules::asks_the_clock() const {
  const auto has_age = [](const auto& entry) { return entry.second.max_age.has_value(); };
  return standard.max_age || !streams.empty() || std::any_of(tenants.begin(), tenants.end(), has_age);
}

Timestamp retention_cut(Timestamp now, std::chrono::nanoseconds max_age) {
  std::int64_t cut_ns = 0;
  if (__builtin_sub_overflow(now.number(), max_age.count(), &cut_ns)) return kTimestampMin;
  return day_start(Timestamp(cut_ns));
}

std::vector<DropDay> plan_retention(std::span<const SegmentInfo> segments, Timestamp now, const RetentionRules& rules) {
  return RetentionPlanner(segments, rules).run(now);
}

}  // namespace dendro
