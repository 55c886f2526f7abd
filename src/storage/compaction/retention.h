#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "storage/manifest_edit.h"

namespace dendro {

/// How long a tenant's records are kept. Whole days (UTC, of the records' times) go at once.
struct RetentionRule {
  std::optional<std::chrono::nanoseconds> max_age;  ///< since the end of the day; nothing: for ever
  std::optional<std::uint64_t> max_bytes;           ///< of the tenant's segment files; nothing: no bound
};

struct RetentionRules {
  RetentionRule standard;                     ///< of tenants without a rule of their own
  std::map<TenantId, RetentionRule> tenants;  ///< instead of `standard`
  std::optional<std::uint64_t> total_bytes;   ///< of the segment files of all tenants
};

/// The days to drop, oldest first. By size the oldest day goes first, among tenants too; the newest day of a tenant is
/// never dropped for its size. Pure.
std::vector<DropDay> plan_retention(std::span<const SegmentInfo> segments, Timestamp now, const RetentionRules& rules);

}  // namespace dendro
