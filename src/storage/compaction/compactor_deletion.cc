// How a Compactor carries deletions out: D1 to D4 of compactor.h.
#include "storage/compaction/compactor.h"
#include "storage/store_scan.h"

namespace dendro {
namespace {

constexpr std::size_t kMatchCacheBytes = std::size_t{4} << 20;

}  // namespace

Status Compactor::settle_tombstones() {
  std::vector<TombstoneInfo> live;
  manifest_.read([&live](const ManifestState& state) {
    for (const auto& [id, tombstone] : state.tombstones) live.push_back(tombstone);
  });
  std::vector<TombstoneInfo> settled;
  Status first_failure;
  for (const TombstoneInfo& info : live) {
    const TenantView view = tenants_.view(info.tenant);
    if (view.tombstones == nullptr) continue;
    for (const auto& tombstone : *view.tombstones) {
      if (tombstone->info().id != info.id) continue;
      DENDRO_TRY_ASSIGN(const bool is_in_segments, is_flushed(*tombstone));
      if (!is_in_segments) continue;
      const Result<bool> is_clean = rewrite_matches(tombstone);
      // A deletion whose proof fails holds up no other one.
      if (!is_clean && is_clean.error().code() != ErrorCode::internal) return is_clean.error();
      if (!is_clean && first_failure) first_failure = is_clean.error();
      if (is_clean && *is_clean) settled.push_back(info);
    }
  }
  if (settled.empty()) return first_failure;
  DENDRO_TRY_ASSIGN(const bool is_wal_clear, clear_wal());
  if (!is_wal_clear) return first_failure;
  const auto prepare = [&settled](const ManifestState& state, SharedManifest::Change& change) {
    for (const TombstoneInfo& info : settled) {
      if (state.tombstones.contains(info.id)) change.edits.emplace_back(TombstoneDone{info.id});
    }
    change.rewrites = true;
    return Status();
  };
  const auto publish = [this, &settled] {
    for (const TombstoneInfo& info : settled) tenants_.remove_tombstone(info.tenant, info.id);
  };
  const Status changed = manifest_.change(prepare, publish);
  if (!changed && changed.error().code() != ErrorCode::storage_full) gate_.stop(changed.error());
  for (const TombstoneInfo& info : settled) without_match_.erase(info.id);
  return changed ? first_failure : changed;
}

Result<bool> Compactor::is_flushed(const Tombstone& tombstone) {
  const auto is_in_memory = [&] {
    const auto first = tenants_.first_unflushed_of(tombstone.info().tenant);
    return first && *first <= tombstone.info().sequence;
  };
  // By itself it waits for the flush that is due anyway: deletions must not make tiny segments of every tenant.
  if (is_in_memory() && is_asked()) DENDRO_TRY(flusher_->flush_all());
  return !is_in_memory();
}

Result<bool> Compactor::rewrite_matches(const std::shared_ptr<const Tombstone>& tombstone) {
  std::set<SegmentId>& without_match = without_match_[tombstone->info().id];
  bool is_known = true;
  const TenantView view = tenants_.view(tombstone->info().tenant);
  for (const auto& segment : *view.segments) {
    const SegmentInfo& info = segment->info();
    if (!tombstone->may_take(info.min_timestamp, info.max_timestamp, info.first_sequence)) continue;
    if (without_match.contains(info.id)) continue;
    DENDRO_TRY(pause());
    DENDRO_TRY_ASSIGN(const SearchOutcome outcome, search(segment, *tombstone));
    if (outcome == SearchOutcome::absent) {
      without_match.insert(info.id);
      continue;
    }
    is_known = false;
    if (outcome == SearchOutcome::unreadable) continue;
    DENDRO_TRY(carry_out({info.tenant, info.day, {{info.id}, info.level, info.file_bytes}}));
  }
  if (is_known) return true;
  // What was written just now is looked through as well: a merge and a search may err, but not both alike.
  const TenantView rewritten = tenants_.view(tombstone->info().tenant);
  for (const auto& segment : *rewritten.segments) {
    const SegmentInfo& info = segment->info();
    if (!tombstone->may_take(info.min_timestamp, info.max_timestamp, info.first_sequence)) continue;
    if (without_match.contains(info.id)) continue;
    DENDRO_TRY_ASSIGN(const SearchOutcome outcome, search(segment, *tombstone));
    if (outcome == SearchOutcome::unreadable) return false;
    if (outcome == SearchOutcome::present) {
      return Error(ErrorCode::internal, segment->path() + " holds a record of deletion " +
                                            std::to_string(tombstone->info().id.number()) +
                                            ", though it was rewritten without it; the deletion stays pending");
    }
    without_match.insert(info.id);
  }
  return true;
}

Result<Compactor::SearchOutcome> Compactor::search(const std::shared_ptr<const Segment>& segment,
                                                   const Tombstone& tombstone) {
  if (left_out_.contains(segment->info().id)) return SearchOutcome::unreadable;
  TenantView view;
  view.segments = std::make_shared<const SegmentList>(SegmentList{segment});
  ScanRequest request;
  request.range = tombstone.info().range;
  request.filter = tombstone.filter();
  request.cancel = closing_;
  const auto source = make_store_scan(view, {std::make_shared<PieceCache>(kMatchCacheBytes)}, request);
  for (;;) {
    const Result<std::optional<RecordBlock>> block = source->next();
    if (!block && block.error().code() != ErrorCode::corruption) return block.error();
    if (!block) {
      leave_out(segment->info().id, block.error());
      return SearchOutcome::unreadable;
    }
    if (!block->has_value()) return SearchOutcome::absent;
    for (const std::uint32_t row : (*block)->rows) {
      if ((*block)->sequence(row) <= tombstone.info().sequence) return SearchOutcome::present;
    }
    DENDRO_TRY(pause());
  }
}

Result<bool> Compactor::clear_wal() {
  DENDRO_TRY_ASSIGN(const WalNumber first_clean, wal_files_.stop_recycling_old_files());
  // The file that is open now becomes a closed one; its records, too, must be in segments before it can go.
  DENDRO_TRY(committer_->rotate_wal());
  DENDRO_TRY(committer_->rotate_wal());
  DENDRO_TRY(flusher_->flush_all());
  DENDRO_TRY(flusher_->release_wal());
  DENDRO_TRY_ASSIGN(const bool is_left, wal_files_.has_files_below(first_clean));
  return !is_left;
}

}  // namespace dendro
