#include "storage/compaction/compactor.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/log.h"
#include "storage/limits.h"
#include "storage/store_scan.h"

namespace dendro {
namespace {

constexpr std::chrono::seconds kCompactorLookInterval{60};  // a day may have come to its end
constexpr std::chrono::minutes kCompactorBackOff{5};        // a full disk: the first to stop, not the first to go on
constexpr std::chrono::seconds kIntakeQuietAfter{1};
constexpr int kRestFactor = 3;  // a quarter of a core
constexpr std::chrono::milliseconds kWorkAtOnce{20};
constexpr std::size_t kMatchCacheBytes = std::size_t{4} << 20;

/// Not SCHED_IDLE: the thread holds the manifest's lock now and then, and on a machine that is always busy a flush
/// would wait for it. With nice 19 it gets about 1.5 % of a core that another thread wants.
void lower_thread_priority() {
  constexpr int kLowestPriority = 19;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kLowestPriority);
}

std::chrono::nanoseconds thread_work_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::chrono::nanoseconds steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

/// Why a change was not made: what it rests on is gone.
Error superseded() {
  return Error(ErrorCode::not_found, "a segment of the merge was dropped meanwhile");
}

std::vector<SegmentId> ids_of(const SegmentList& segments) {
  std::vector<SegmentId> ids;
  for (const auto& segment : segments) ids.push_back(segment->info().id);
  return ids;
}

/// Keeps the first failure of several pieces of work.
void keep_first(Status& first, Status status) {
  if (first && !status) first = std::move(status);
}

}  // namespace

Compactor::Compactor(const StorePaths& paths, FileSystem& files, Clock& clock, SharedManifest& manifest,
                     TenantTable& tenants, WalFiles& wal_files, WriteGate& gate, Options options)
    : paths_(paths),
      files_(files),
      clock_(clock),
      manifest_(manifest),
      tenants_(tenants),
      wal_files_(wal_files),
      gate_(gate),
      options_(std::move(options)) {}

void Compactor::start(Flusher& flusher, Committer& committer) {
  flusher_ = &flusher;
  committer_ = &committer;
  thread_ = std::jthread([this] { run(); });
}

void Compactor::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  round_done_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Compactor::wake() {
  {
    MutexLock lock(mutex_);
    is_woken_ = true;
  }
  wake_.notify_all();
}

Status Compactor::compact(CompactionScope scope) {
  MutexLock lock(mutex_);
  const std::uint64_t round = ++rounds_asked_;
  if (scope == CompactionScope::all_final) asked_scope_ = scope;
  wake_.notify_all();
  while (rounds_done_ < round && !stopping_) round_done_.wait(mutex_);
  if (rounds_done_ < round) return Error(ErrorCode::unavailable, "the store is being closed");
  return last_round_;
}

Compactor::Figures Compactor::figures() const {
  Figures figures;
  figures.compactions = compactions_.load(std::memory_order_relaxed);
  figures.bytes_read = bytes_read_.load(std::memory_order_relaxed);
  figures.bytes_written = bytes_written_.load(std::memory_order_relaxed);
  figures.failures = failures_.load(std::memory_order_relaxed);
  figures.reencoded_row_groups = reencoded_row_groups_.load(std::memory_order_relaxed);
  figures.days_dropped = days_dropped_.load(std::memory_order_relaxed);
  figures.records_deleted = records_deleted_.load(std::memory_order_relaxed);
  return figures;
}

bool Compactor::is_stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

bool Compactor::is_asked() const {
  MutexLock lock(mutex_);
  return rounds_asked_ > rounds_done_;
}

void Compactor::run() {
  lower_thread_priority();
  std::chrono::nanoseconds next_try{};  // of the steady clock
  for (;;) {
    std::uint64_t round = 0;
    CompactionScope scope = CompactionScope::due;
    {
      MutexLock lock(mutex_);
      const std::chrono::nanoseconds back_off = next_try - steady_now();  // a flush does not end it
      const bool is_backing_off = back_off > std::chrono::nanoseconds(0);
      if (!stopping_ && rounds_asked_ == rounds_done_ && (is_backing_off || !is_woken_)) {
        wake_.wait_for(mutex_, is_backing_off ? back_off : kCompactorLookInterval);
      }
      if (stopping_) return;
      if (rounds_asked_ > rounds_done_) round = rounds_asked_;
      if (round == 0 && steady_now() < next_try) continue;
      is_woken_ = false;
      scope = std::exchange(asked_scope_, CompactionScope::due);
    }
    if (round == 0 && !options_.is_automatic) continue;
    Status done = work(scope);
    if (is_stopping()) return;
    next_try = {};
    if (!done && done.error().code() != ErrorCode::corruption) {
      next_try = steady_now() + kCompactorBackOff;
      ++failures_;
      log(LogLevel::error, "storage", "compaction failed", {{"error", done.error().message()}});
    }
    if (round == 0) continue;
    {
      MutexLock lock(mutex_);
      rounds_done_ = round;
      last_round_ = std::move(done);
    }
    round_done_.notify_all();
  }
}

Status Compactor::work(CompactionScope scope) {
  DENDRO_TRY(gate_.check_open());
  DENDRO_TRY(manifest_.check_usable());
  Status first_failure = apply_retention();
  keep_first(first_failure, merge_due(scope));
  if (!first_failure && first_failure.error().code() != ErrorCode::corruption) return first_failure;
  keep_first(first_failure, settle_tombstones());
  return first_failure;
}

Status Compactor::pause() {
  const SequenceNumber sequence = tenants_.last_sequence();
  const std::chrono::nanoseconds now = steady_now();
  if (std::exchange(last_sequence_, sequence) != sequence) last_intake_ = now;
  const std::chrono::nanoseconds worked = thread_work_time() - worked_before_;
  MutexLock lock(mutex_);
  const bool is_quiet = now - last_intake_ > kIntakeQuietAfter;
  const std::chrono::nanoseconds rest_end = now + worked * kRestFactor;
  while (!is_quiet && worked > kWorkAtOnce && !stopping_ && rounds_asked_ == rounds_done_) {
    const std::chrono::nanoseconds left = rest_end - steady_now();
    if (left <= std::chrono::nanoseconds(0)) break;
    wake_.wait_for(mutex_, left);
  }
  if (is_quiet || worked > kWorkAtOnce) worked_before_ = thread_work_time();
  if (stopping_) return Error(ErrorCode::cancelled, "the store is being closed");
  return {};
}

std::vector<SegmentInfo> Compactor::listed_segments() const {
  std::vector<SegmentInfo> segments;
  manifest_.read([&segments](const ManifestState& state) {
    segments.reserve(state.segments.size());
    for (const auto& [id, info] : state.segments) segments.push_back(info);
  });
  return segments;
}

Status Compactor::apply_retention() {
  for (const DropDay& drop : plan_retention(listed_segments(), clock_.now(), options_.retention)) {
    DENDRO_TRY(drop_day(drop));
  }
  return {};
}

Status Compactor::drop_day(const DropDay& drop) {
  SegmentList dropped;
  const auto prepare = [&drop](const ManifestState&, SharedManifest::Change& change) {
    change.edits.emplace_back(drop);
    return Status();
  };
  // What was flushed between the plan and the edit goes, too: the day is what is out of its time.
  const auto publish = [&] {
    for (const auto& segment : *tenants_.view(drop.tenant).segments) {
      if (segment->info().day == drop.day) dropped.push_back(segment);
    }
    const std::vector<SegmentId> ids = ids_of(dropped);
    tenants_.replace_segments(drop.tenant, {ids.begin(), ids.end()}, {});
  };
  const Status changed = manifest_.change(prepare, publish);
  if (!changed) {
    if (changed.error().code() != ErrorCode::storage_full) gate_.stop(changed.error());
    return changed;
  }
  for (const auto& segment : dropped) segment->remove_when_released();
  ++days_dropped_;
  log(LogLevel::info, "storage", "a day was dropped by retention",
      {{"tenant", drop.tenant.text()}, {"day", day_text(drop.day)}, {"segments", std::to_string(dropped.size())}});
  return {};
}

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
    DENDRO_TRY(carry_out(*job));
    DENDRO_TRY(pause());
  }
  if (failures_ == failures_before) return {};
  return Error(ErrorCode::corruption, "segments that cannot be read were left out of compaction; the log names them");
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
  request.tombstones = view.tombstones;
  request.now = clock_.now();
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

Status Compactor::settle_tombstones() {
  std::vector<TombstoneInfo> live;
  manifest_.read([&live](const ManifestState& state) {
    for (const auto& [id, tombstone] : state.tombstones) live.push_back(tombstone);
  });
  std::vector<TombstoneInfo> settled;
  for (const TombstoneInfo& info : live) {
    const TenantView view = tenants_.view(info.tenant);
    if (view.tombstones == nullptr) continue;
    for (const auto& tombstone : *view.tombstones) {
      if (tombstone->info().id != info.id) continue;
      DENDRO_TRY_ASSIGN(const bool is_in_segments, is_flushed(*tombstone));
      if (!is_in_segments) continue;
      DENDRO_TRY_ASSIGN(const bool is_clean, rewrite_matches(tombstone));
      if (is_clean) settled.push_back(info);
    }
  }
  if (settled.empty()) return {};
  DENDRO_TRY_ASSIGN(const bool is_wal_clear, clear_wal());
  if (!is_wal_clear) return {};
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
  return changed;
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
  for (const auto& segment : *tenants_.view(tombstone->info().tenant).segments) {
    const SegmentInfo& info = segment->info();
    if (!tombstone->may_take(info.min_timestamp, info.max_timestamp, info.first_sequence)) continue;
    if (without_match.contains(info.id)) continue;
    DENDRO_TRY_ASSIGN(const SearchOutcome outcome, search(segment, *tombstone));
    if (outcome != SearchOutcome::absent) return false;
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
  const auto source = make_store_scan(view, std::make_shared<PieceCache>(kMatchCacheBytes), request);
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
