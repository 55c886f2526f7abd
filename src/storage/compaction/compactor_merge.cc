// The merges of a Compactor.
#include <algorithm>

#include "base/log.h"
#include "storage/compaction/compactor.h"
#include "storage/compaction/retry_keys.h"

namespace dendro {
namespace {

/// Why a change was not made: what it rests on is gone.
Error superseded() {
  return Error(ErrorCode::not_found, "a segment of the merge was dropped meanwhile");
}

std::vector<SegmentId> ids_of(const SegmentList& segments) {
  std::vector<SegmentId> ids;
  for (const auto& segment : segments) ids.push_back(segment->info().id);
  return ids;
}

}  // namespace

std::optional<Compactor::Job> Compactor::next_job(CompactionScope scope) const {
  std::map<std::pair<TenantId, Timestamp>, std::vector<SegmentInfo>> days;
  for (SegmentInfo& segment : listed_segments()) {
    if (left_out_.contains(segment.id)) continue;
    days[{segment.tenant, segment.day}].push_back(std::move(segment));
  }
  for (const auto& [place, segments] : days) {
    auto plan = plan_compaction(segments, clock_.now(), options_.rules, scope);
    if (plan) return Job{place.first, place.second, std::move(*plan)};
  }
  return std::nullopt;
}

Status Compactor::merge_due(CompactionScope scope) {
  const std::uint64_t failures_before = failures_;
  while (const std::optional<Job> job = next_job(scope)) {
    tell_progress(scope);
    DENDRO_TRY(carry_out(*job));
    ++round_merges_;
    DENDRO_TRY(pause());
  }
  tell_progress(scope);
  if (failures_ == failures_before) return {};
  return Error(ErrorCode::corruption, "segments that cannot be read were left out of compaction; the log names them");
}

void Compactor::tell_progress(CompactionScope scope) {
  if (!watch_.on_progress) return;
  const CompactionDebt debt = measure_debt(listed_segments(), clock_.now(), options_.rules, scope);
  watch_.tell(round_merges_, round_merges_ + debt.days);  // a merge a day at least
}

void Compactor::leave_out(SegmentId id, const Error& error) {
  left_out_.insert(id);
  ++failures_;
  log(LogLevel::error, "storage", "a segment was left out of compaction",
      {{"segment", std::to_string(id.number())}, {"error", error.message()}});
}

Status Compactor::carry_out(const Job& job) {
  const TenantView view = tenants_.view(job.tenant);
  MergeRequest request;
  for (const auto& segment : *view.segments) {
    const auto& wanted = job.plan.inputs;
    if (std::find(wanted.begin(), wanted.end(), segment->info().id) == wanted.end()) continue;
    if (segment->damage()) {
      leave_out(segment->info().id, *segment->damage());
      return {};
    }
    request.inputs.push_back(segment);
  }
  if (request.inputs.size() != job.plan.inputs.size()) return {};  // dropped meanwhile
  DENDRO_TRY(gate_.check_room(job.plan.input_bytes));
  const bool is_final = job.plan.level == kFinalLevel;
  request.place = {manifest_.store_id(), manifest_.take_segment_id(),
                   job.tenant,           job.day,
                   job.plan.level,       is_final ? kLastZstdLevel : kFlushZstdLevel};
  request.place.reencoded_row_groups = &reencoded_row_groups_;
  if (!options_.keeps_deleted_for_test) request.tombstones = view.tombstones;
  request.now = retention_clock_.cautious_now();
  request.batch_key_window = options_.batch_key_window;
  request.pause = [this] { return pause(); };
  std::optional<SegmentId> unreadable;
  const Result<MergedSegment> merged = merge_segments(paths_, files_, request, unreadable);
  if (merged) return replace(job, request.inputs, *merged);
  (void)files_.remove(paths_.segment(job.tenant, job.day, request.place.id));  // it may have its name already
  if (!unreadable) return merged.error();
  leave_out(*unreadable, merged.error());
  return {};
}

Status Compactor::replace(const Job& job, const SegmentList& inputs, const MergedSegment& merged) {
  SegmentList added;
  std::string added_path;
  if (merged.info) {
    added_path = paths_.segment(job.tenant, job.day, merged.info->id);
    added.push_back(Segment::open(files_, added_path, manifest_.store_id(), *merged.info));
    if (added.front()->damage()) {
      (void)files_.remove(added_path);
      return Error(ErrorCode::io_error, "the output of a merge cannot be read: " + added.front()->damage()->message());
    }
  }
  const std::vector<SegmentId> ids = ids_of(inputs);
  const auto prepare = [&](const ManifestState& state, SharedManifest::Change& change) {
    if (merged.info) change.edits.emplace_back(*merged.info);
    for (const SegmentId id : ids) {
      if (!state.segments.contains(id)) return Status(superseded());
      change.edits.emplace_back(RemoveSegment{id});
    }
    if (!merged.info) {
      auto keys =
          collect_retry_keys(job.tenant, state, inputs, retention_clock_.cautious_now(), options_.batch_key_window);
      if (keys) change.edits.emplace_back(std::move(*keys));
    }
    return Status();
  };
  const Status changed =
      manifest_.change(prepare, [&] { tenants_.replace_segments(job.tenant, {ids.begin(), ids.end()}, added); });
  if (!changed) {
    const ErrorCode code = changed.error().code();
    if (code != ErrorCode::not_found && code != ErrorCode::storage_full) {
      gate_.stop(changed.error());  // it may be listed: nothing is removed
      return changed;
    }
    if (merged.info) (void)files_.remove(added_path);
    return code == ErrorCode::not_found ? Status() : changed;
  }
  for (const auto& input : inputs) input->remove_when_released();
  ++compactions_;
  bytes_read_ += job.plan.input_bytes;
  records_deleted_ += merged.deleted_records;
  if (merged.info) bytes_written_ += merged.info->file_bytes;
  return {};
}

}  // namespace dendro
