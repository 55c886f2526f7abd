#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/manifest_edit.h"

namespace dendro {

/// How long a tenant's records are kept. Whole days (UTC, of the records' times) go at once.
struct RetentionRule {
  std::optional<std::chrono::nanoseconds> max_age;  ///< since the end of the day; nothing: for ever
  std::optional<std::uint64_t> max_bytes;           ///< of the tenant's segment files; nothing: no bound
};

/// How long the records of every tenant that match a filter are kept. Carried out once a UTC day, as a deletion.
struct StreamRetention {
  std::string predicate;                ///< as encode_tombstone_predicate gives it
  std::chrono::nanoseconds max_age{0};  ///< since the end of the UTC day of a record's time
};

struct RetentionRules {
  RetentionRule standard;                     ///< of tenants without a rule of their own
  std::map<TenantId, RetentionRule> tenants;  ///< instead of `standard`
  std::optional<std::uint64_t> total_bytes;   ///< of the segment files of all tenants
  std::vector<StreamRetention> streams;       ///< beside the others: whichever is over first
  /// So far ahead of what is explained the wall clock is believed (RetentionClock); 0: always.
  std::chrono::nanoseconds clock_jump_max = std::chrono::hours(24);

  /// True: some rule deletes by the clock.
  bool asks_the_clock() const;
};
/// Records before it are out of the time of a rule for `max_age`, at `now`: the start of a UTC day.
Timestamp retention_cut(Timestamp now, std::chrono::nanoseconds max_age);

/// The days to drop, oldest first. By size the oldest day goes first, among tenants too; the newest day of a tenant is
/// never dropped for its size. Pure.
std::vector<DropDay> plan_retention(std::span<const SegmentInfo> segments, Timestamp now, const RetentionRules& rules);

}  // namespace dendro
