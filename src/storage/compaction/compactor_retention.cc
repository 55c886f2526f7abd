// How a Compactor drops what is out of its time.
#include "base/log.h"
#include "storage/compaction/compactor.h"
#include "storage/compaction/retry_keys.h"
#include "storage/store_scan.h"
#include "storage/tombstone_log.h"

namespace dendro {
namespace {

constexpr std::size_t kRuleCacheBytes = std::size_t{4} << 20;

}  // namespace

void Compactor::set_tenant_retention(const TenantId& tenant, std::optional<RetentionRule> rule) {
  const auto configured = options_.retention.tenants.find(tenant);
  if (!rule && configured != options_.retention.tenants.end()) rule = configured->second;
  MutexLock lock(retention_mutex_);
  if (rule) {
    retention_.tenants.insert_or_assign(tenant, *rule);
  } else {
    retention_.tenants.erase(tenant);
  }
}

RetentionRules Compactor::retention() const {
  MutexLock lock(retention_mutex_);
  return retention_;
}

Status Compactor::apply_retention() {
  warn_of_wall_clock();
  for (const DropDay& drop : plan_retention(listed_segments(), retention_clock_.now(), retention())) {
    DENDRO_TRY(drop_day(drop));
  }
  DENDRO_TRY(apply_stream_rules());
  return forget_retry_keys();
}

void Compactor::warn_of_wall_clock() {
  const std::chrono::nanoseconds lead = retention_clock_.wall_clock_lead();
  const bool is_believed = lead == std::chrono::nanoseconds(0) || !retention().asks_the_clock();
  if (std::exchange(has_warned_of_clock_, !is_believed) || is_believed) return;
  log(LogLevel::warning, "storage",
      "the clock is ahead of the newest record and of the time since opening: retention goes by the latter. If the "
      "clock is right, start again once new records are stored, or set retention.clock_jump_max",
      {{"retention_time", to_rfc3339(retention_clock_.now(), 0)},
       {"lead_hours", std::to_string(std::chrono::duration_cast<std::chrono::hours>(lead).count())}});
}

Status Compactor::stop_if_unknown(const Status& changed) {
  if (!changed && changed.error().code() != ErrorCode::storage_full) gate_.stop(changed.error());
  return changed;
}

Result<std::shared_ptr<void>> Compactor::tell_witness(const Removal& removal) const {
  if (!options_.removal_witness) return std::shared_ptr<void>();
  return options_.removal_witness(removal);
}

Status Compactor::drop_day(const DropDay& drop) {
  const TimeRange day_range{drop.day, Timestamp(drop.day.number() + kNanosPerDay)};
  DENDRO_TRY_ASSIGN(const auto witnessed, tell_witness({drop.tenant, day_range, nullptr, RemovalCause::day_retention}));
  // What was flushed between the plan and the edit goes, too: the day is what is out of its time.
  SegmentList dropped;
  std::set<SegmentId> ids;
  const auto prepare = [&](const ManifestState& state, SharedManifest::Change& change) {
    const TenantView view = tenants_.view(drop.tenant);
    for (const auto& segment : *view.segments) {
      if (segment->info().day != drop.day) continue;
      dropped.push_back(segment);
      ids.insert(segment->info().id);
    }
    change.edits.emplace_back(drop);
    auto keys =
        collect_retry_keys(drop.tenant, state, dropped, retention_clock_.cautious_now(), options_.batch_key_window);
    if (keys) change.edits.emplace_back(std::move(*keys));
    return Status();
  };
  DENDRO_TRY(stop_if_unknown(manifest_.change(prepare, [&] { tenants_.replace_segments(drop.tenant, ids, {}); })));
  for (const auto& segment : dropped) segment->remove_when_released();
  ++days_dropped_;
  log(LogLevel::info, "storage", "a day was dropped by retention",
      {{"tenant", drop.tenant.text()}, {"day", day_text(drop.day)}, {"segments", std::to_string(dropped.size())}});
  return {};
}

Status Compactor::apply_stream_rules() {
  const std::vector<StreamRetention>& rules = options_.retention.streams;
  if (rules.empty()) return {};
  std::map<TenantId, Timestamp> oldest;
  for (const SegmentInfo& segment : listed_segments()) {
    Timestamp& min = oldest.try_emplace(segment.tenant, segment.min_timestamp).first->second;
    min = std::min(min, segment.min_timestamp);
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Timestamp cut = retention_cut(retention_clock_.now(), rules[i].max_age);
    for (const auto& [tenant, min] : oldest) {
      const auto carried_out = rule_cuts_.find({tenant, i});
      const bool is_new_day = carried_out == rule_cuts_.end() || carried_out->second < cut;
      if (!is_new_day || min >= cut) continue;
      DENDRO_TRY(apply_stream_rule(tenant, rules[i], cut));
      rule_cuts_.insert_or_assign({tenant, i}, cut);
    }
  }
  return {};
}

Status Compactor::apply_stream_rule(const TenantId& tenant, const StreamRetention& rule, Timestamp cut) {
  TombstoneInfo info;
  info.tenant = tenant;
  info.range = {kTimestampMin, cut};
  info.sequence = tenants_.last_sequence();
  info.predicate = rule.predicate;
  info.origin = TombstoneOrigin::retention_rule;
  const TenantView view = tenants_.view(tenant);
  std::vector<TombstoneId> superseded;
  if (view.tombstones != nullptr) {
    for (const auto& live : *view.tombstones) {
      const bool is_of_rule = live->info().origin == info.origin && live->info().predicate == info.predicate;
      if (is_of_rule && live->info().range.last >= cut) return {};
      if (is_of_rule) superseded.push_back(live->info().id);
    }
  }
  DENDRO_TRY_ASSIGN(const std::shared_ptr<const Tombstone> tombstone, Tombstone::open(info));
  DENDRO_TRY_ASSIGN(const bool is_due, is_any_left(view, *tombstone));
  if (!is_due) return {};
  DENDRO_TRY_ASSIGN(const auto witnessed,
                    tell_witness({tenant, info.range, tombstone->filter(), RemovalCause::stream_rule}));
  const Result<TombstoneInfo> added = add_tombstone(manifest_, tenants_, clock_, std::move(info), superseded);
  if (!added) return stop_if_unknown(added.error());
  for (const TombstoneId id : superseded) without_match_.erase(id);
  log(LogLevel::info, "storage", "records are out of the time of a rule",
      {{"tenant", tenant.text()}, {"before", to_rfc3339(cut, 0)}, {"deletion", std::to_string(added->id.number())}});
  return {};
}

Result<bool> Compactor::is_any_left(const TenantView& view, const Tombstone& tombstone) {
  ScanRequest request;
  request.range = tombstone.info().range;
  request.filter = tombstone.filter();
  request.cancel = closing_;
  const auto source = make_store_scan(view, {std::make_shared<PieceCache>(kRuleCacheBytes)}, request);
  for (;;) {
    const Result<std::optional<RecordBlock>> block = source->next();
    if (!block && block.error().code() != ErrorCode::corruption) return block.error();
    if (block) return block->has_value();  // a block has a row at least
    DENDRO_TRY(pause());
  }
}

Status Compactor::forget_retry_keys() {
  std::vector<TenantId> tenants;
  manifest_.read([&tenants](const ManifestState& state) {
    for (const auto& [tenant, keys] : state.retry_keys) tenants.push_back(tenant);
  });
  for (const TenantId& tenant : tenants) {
    const auto prepare = [&](const ManifestState& state, SharedManifest::Change& change) {
      auto keys = collect_retry_keys(tenant, state, {}, retention_clock_.cautious_now(), options_.batch_key_window);
      if (keys) change.edits.emplace_back(std::move(*keys));
      return Status();
    };
    DENDRO_TRY(stop_if_unknown(manifest_.change(prepare)));
  }
  return {};
}

}  // namespace dendro
