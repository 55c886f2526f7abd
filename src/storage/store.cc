#include "storage/store.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/log.h"
#include "storage/committer.h"
#include "storage/compaction/compactor.h"
#include "storage/flusher.h"
#include "storage/limits.h"
#include "storage/live_store.h"
#include "storage/recovery.h"
#include "storage/shared_manifest.h"
#include "storage/store_scan.h"
#include "storage/tombstone_log.h"

namespace dendro {
namespace {

/// What a batch costs in the queue beside its bytes.
constexpr std::uint64_t kQueuedBatchOverheadBytes = 256;
/// Tasks that may wait for the threads that help scans; beyond it a query works alone.
constexpr std::size_t kScanTasksMax = 256;
constexpr std::size_t kMaxRequestFrames = 65'536;  // the countdown in a frame's header has 16 bits

Error too_large_request(std::uint64_t bytes, std::uint64_t bytes_max) {
  return Error(ErrorCode::too_large, "a request of " + std::to_string(bytes) + " encoded bytes, at most " +
                                         std::to_string(bytes_max) + " are taken: send it in smaller parts");
}

Result<std::uint64_t> check_request(const CommitRequest& request) {
  if (request.batches.empty()) return Error(ErrorCode::invalid_argument, "a request without a batch");
  if (request.batches.size() > kMaxRequestFrames) {
    return Error(ErrorCode::invalid_argument,
                 "a request of " + std::to_string(request.batches.size()) + " batches, at most 65536 are taken");
  }
  std::uint64_t bytes = 0;
  for (const auto& batch : request.batches) {
    if (batch == nullptr) return Error(ErrorCode::invalid_argument, "a request with a null batch");
    if (batch->size() > kMaxBatchRecords || batch->encoded().size() > kMaxBatchBytes) {
      return Error(ErrorCode::invalid_argument, "a batch of " + std::to_string(batch->size()) + " records and " +
                                                    std::to_string(batch->encoded().size()) + " bytes is too large");
    }
    bytes += batch->encoded().size();
  }
  if (bytes > kMaxRequestBytes) {
    return too_large_request(bytes, kMaxRequestBytes);
  }
  return bytes;
}

/// Members stand in the order in which they must be made; the reverse is the order of closing: the committer answers
/// what is queued, the flusher ends, the WAL's zeroer ends, the lock goes last. The compactor, which asks both, is
/// stopped before all of them; its object outlives the flusher, which wakes it.
class StoreImpl final : public Store {
 public:
  StoreImpl(StoreOptions options, FileSystem& files, Clock& clock)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        paths_(options_.directory),
        cache_(std::make_shared<PieceCache>(options_.block_cache_bytes)),
        scan_helpers_(options_.scan_threads == 0 ? nullptr
                                                 : std::make_shared<WorkerPool>(options_.scan_threads, kScanTasksMax)),
        gate_(files, options_.directory, {options_.free_bytes_min, options_.free_share_min}),
        tenants_(clock, {options_.batch_key_window, options_.batch_keys_max},
                 {options_.memtable_bytes_max, options_.memtable_bytes_max}) {}

  ~StoreImpl() override {
    if (compactor_) compactor_->stop();
  }

  Status open(RandomSource& random) {
    DENDRO_TRY(files_.create_directories(paths_.root()));
    DENDRO_TRY_ASSIGN(lock_, files_.lock(paths_.lock_file()));
    DENDRO_TRY_ASSIGN(manifest_, Manifest::open(paths_, files_, clock_, random, options_.manifest_rewrite_bytes));
    DENDRO_TRY(files_.create_directories(paths_.wal_folder()));
    DENDRO_TRY(files_.create_directories(paths_.tenants_folder()));
    if (manifest_->was_read_clean()) DENDRO_TRY(remove_unlisted_files(paths_, files_, manifest_->state()));
    DENDRO_TRY(recover_tombstones(manifest_->state(), tenants_));
    recover_segments(paths_, files_, clock_, *manifest_, options_.batch_key_window, tenants_);
    DENDRO_TRY(open_wal());
    start();
    return {};
  }

  void set_intake(Intake intake) override { intake_ = std::move(intake); }

  Status append(CommitRequest request, CommitDone done) override {
    if (intake_) {
      if (const auto checked = check_request(request); !checked) return checked.error();
      DENDRO_TRY(intake_(request));
    }
    DENDRO_TRY_ASSIGN(const std::uint64_t bytes, check_request(request));
    DENDRO_TRY(gate_.check_open());
    const std::uint64_t backlog = tenants_.unflushed_bytes() + committer_->queued_bytes();
    // What waits for room would wait in vain.
    if (flusher_->is_failing() && backlog + bytes > options_.wal_backlog_bytes_max) {
      return Error(ErrorCode::resource_exhausted, std::to_string(backlog) +
                                                      " bytes wait to be flushed, and flushing fails (the log says "
                                                      "why); send again later");
    }
    PendingRequest pending;
    for (const auto& batch : request.batches) pending.memory_bytes += memtable_bytes_of(*batch);
    pending.queue_bytes = bytes + request.batches.size() * kQueuedBatchOverheadBytes;
    // Not resource_exhausted: it would never fit, and the sender would try for ever.
    if (pending.queue_bytes > options_.queue_bytes_max) return too_large_request(bytes, options_.queue_bytes_max);
    DENDRO_TRY(committer_->reserve(request.tenant, pending.queue_bytes));
    pending.frames = draft_frames(request);
    for (const FrameDraft& draft : pending.frames) pending.frame_bytes += draft.image.size();
    pending.request = std::move(request);
    pending.done = std::move(done);
    committer_->enqueue(std::move(pending));
    return {};
  }

  Result<std::shared_ptr<const Snapshot>> snapshot(const TenantId& tenant) override {
    return make_store_snapshot(tenant, tenants_.view(tenant), {cache_, scan_helpers_});
  }

  CommitListeners& listeners() override { return listeners_; }
  Status flush() override { return flusher_->flush_all(); }
  Status compact(CompactionScope scope, WorkWatch watch) override {
    return compactor_->compact(scope, std::move(watch));
  }
  Result<BackupReport> backup(const std::string& to, const WorkWatch& watch, const AddToBackup& add) override {
    DENDRO_TRY(gate_.check_open());
    return backup_live(live(), to, watch, add);
  }
  Result<VerifyReport> verify(const WorkWatch& watch) override { return verify_live(live(), watch); }

  Result<TombstoneId> delete_records(const TenantId& tenant, TimeRange range, const Predicate& predicate) override {
    DENDRO_TRY(gate_.check_open());
    TombstoneInfo info;
    info.tenant = tenant;
    info.range = range;
    DENDRO_TRY_ASSIGN(info.predicate, encode_tombstone_predicate(predicate));
    DENDRO_TRY_ASSIGN(const auto draft, Tombstone::open(info));
    DENDRO_TRY_ASSIGN(const auto witnessed, tell_witness({tenant, range, draft->filter(), RemovalCause::request}));
    const Result<TombstoneInfo> added = add_tombstone(*shared_manifest_, tenants_, clock_, std::move(info));
    if (!added) return stop_if_unknown(added.error());
    compactor_->wake();
    return added->id;
  }

  std::vector<TombstoneInfo> pending_deletions(const TenantId& tenant) const override {
    std::vector<TombstoneInfo> pending;
    shared_manifest_->read([&](const ManifestState& state) {
      for (const auto& [id, tombstone] : state.tombstones) {
        if (tombstone.tenant == tenant) pending.push_back(tombstone);
      }
    });
    return pending;
  }

  void set_tenant_retention(const TenantId& tenant, std::optional<RetentionRule> rule) override {
    compactor_->set_tenant_retention(tenant, std::move(rule));
  }

  Status drop_tenant(const TenantId& tenant) override {
    // Behind the flush nothing of before stands in memory, and the WAL's frames count as flushed: no replay brings them
    // back.
    DENDRO_TRY_ASSIGN(const auto witnessed, tell_witness({tenant, {}, nullptr, RemovalCause::tenant}));
    DENDRO_TRY(flusher_->flush_all());
    SegmentList dropped;
    const auto prepare = [&tenant](const ManifestState&, SharedManifest::Change& change) {
      change.edits.emplace_back(DropTenant{tenant});
      return Status();
    };
    const Status changed = shared_manifest_->change(prepare, [&] { dropped = tenants_.drop_tenant(tenant); });
    if (!changed) return stop_if_unknown(changed.error());
    for (const auto& segment : dropped) segment->remove_when_released();
    dropped.clear();
    remove_empty_folders(files_, paths_.tenant_folder(tenant));
    return {};
  }
  StoreHealth health() const override { return gate_.health(); }

  StoreStats stats() const override {
    const Committer::Figures committed = committer_->figures();
    const SharedManifest::Figures listed = shared_manifest_->figures();
    const Compactor::Figures compacted = compactor_->figures();
    StoreStats stats;
    stats.records_committed = committed.records;
    stats.groups_committed = committed.groups;
    stats.wal_bytes_written = committed.wal_bytes;
    stats.batches_replayed = committed.replayed;
    stats.memtable_bytes = tenants_.unflushed_bytes();
    stats.memtable_records = tenants_.unflushed_records();
    stats.segment_count = listed.segment_count;
    stats.segment_bytes = listed.segment_bytes;
    stats.segment_records = listed.segment_records;
    stats.flushes = flusher_->flushes();
    stats.compactions = compacted.compactions;
    stats.compaction_failures = compacted.failures;
    stats.reencoded_row_groups = flusher_->reencoded_row_groups() + compacted.reencoded_row_groups;
    stats.compaction_bytes_read = compacted.bytes_read;
    stats.compaction_bytes_written = compacted.bytes_written;
    stats.days_dropped = compacted.days_dropped;
    stats.records_deleted = compacted.records_deleted;
    stats.live_tombstones = listed.live_tombstones;
    stats.torn_tail_bytes = recovered_.torn_tail_bytes;
    stats.recovered_records = recovered_.records;
    return stats;
  }

  StoreCondition condition() const override {
    StoreCondition condition;
    condition.health = gate_.health();
    condition.stats = stats();
    for (const ClosedWalFile& file : wal_files_->closed()) {
      ++condition.wal_files;
      condition.wal_bytes += file.bytes;
    }
    std::vector<SegmentInfo> segments;
    std::set<TenantId> tenants;
    shared_manifest_->read([&](const ManifestState& state) {
      for (const auto& [id, info] : state.segments) {
        segments.push_back(info);
        tenants.insert(info.tenant);
      }
    });
    condition.debt = measure_debt(segments, clock_.now(), options_.compaction, CompactionScope::due);
    for (const TenantId& tenant : tenants) {
      const TenantView view = tenants_.view(tenant);
      for (const auto& segment : *view.segments) condition.damaged_segments += segment->damage() ? 1 : 0;
    }
    if (const Result<DiskSpace> disk = files_.disk_space(paths_.root())) condition.disk = *disk;
    if (options_.retention.asks_the_clock()) {
      condition.wall_clock_lead = compactor_->retention_clock().wall_clock_lead();
    }
    return condition;
  }

 private:
  LiveStore live() { return {paths_, files_, clock_, *shared_manifest_, tenants_, *wal_files_, *committer_}; }

  /// When the newest record was received; nothing: there is none that can be read.
  std::optional<Timestamp> newest_received() const {
    std::optional<Timestamp> newest;
    const auto take = [&newest](Timestamp received) { newest = std::max(newest.value_or(received), received); };
    std::set<TenantId> tenants;
    for (const auto& [id, info] : manifest_->state().segments) tenants.insert(info.tenant);
    for (const TenantId& tenant : tenants_.unflushed_tenants()) tenants.insert(tenant);
    for (const TenantId& tenant : tenants) {
      const TenantView view = tenants_.view(tenant);
      for (const auto& segment : *view.segments) {
        if (segment->newest_receive_time()) take(*segment->newest_receive_time());
      }
      for (const MemtableView& memtable : view.memtables) {
        for (std::size_t i = 0; i < memtable.count; ++i) take(memtable[i].batch.receive_time());
      }
    }
    return newest;
  }

  Result<std::shared_ptr<void>> tell_witness(const Removal& removal) const {
    if (!options_.removal_witness) return std::shared_ptr<void>();
    return options_.removal_witness(removal);
  }

  Error stop_if_unknown(const Error& error) {
    if (error.code() == ErrorCode::io_error) gate_.stop(error);  // what the manifest holds is not known
    return error;
  }

  Status open_wal() {
    const WalFiles::Options wal_options{options_.wal_file_bytes, options_.wal_pool_files_max};
    wal_files_.emplace(paths_, files_, clock_, manifest_->store_id(), wal_options);
    DENDRO_TRY(wal_files_->adopt(manifest_->state().counters.first_live_wal));
    DENDRO_TRY_ASSIGN(recovered_,
                      recover_wal(paths_, files_, clock_, manifest_->store_id(), manifest_->state(), tenants_));
    wal_files_->set_closed(recovered_.closed, recovered_.next_number);
    wal_.emplace(*wal_files_, manifest_->store_id());
    DENDRO_TRY(wal_->rotate());
    log(LogLevel::info, "storage", "store opened",
        {{"folder", paths_.root()},
         {"recovered_records", std::to_string(recovered_.records)},
         {"torn_tail_bytes", std::to_string(recovered_.torn_tail_bytes)},
         {"segments", std::to_string(manifest_->state().segments.size())},
         {"last_sequence", std::to_string(recovered_.last_sequence.number())}});
    return {};
  }

  void start() {
    wal_files_->start();
    const Flusher::Limits limits{options_.memtable_age_max, options_.wal_backlog_bytes_max / 2,
                                 options_.wal_backlog_bytes_max / 2};
    shared_manifest_.emplace(*manifest_);
    Compactor::Options compactor_options;
    compactor_options.rules = options_.compaction;
    compactor_options.rules.fan_in = std::max<std::size_t>(options_.compaction.fan_in, 2);
    compactor_options.retention = options_.retention;
    compactor_options.newest_received = newest_received();
    compactor_options.batch_key_window = options_.batch_key_window;
    compactor_options.is_automatic = options_.compacts_by_itself;
    compactor_options.keeps_deleted_for_test = options_.keeps_deleted_for_test;
    compactor_options.removal_witness = options_.removal_witness;
    compactor_.emplace(paths_, files_, clock_, *shared_manifest_, tenants_, *wal_files_, gate_, compactor_options);
    flusher_.emplace(paths_, files_, *shared_manifest_, tenants_, *wal_files_, gate_, limits,
                     [this] { compactor_->wake(); });
    committer_.emplace(*wal_, tenants_, listeners_, gate_, clock_,
                       Committer::Limits{options_.queue_bytes_max, options_.wal_backlog_bytes_max},
                       recovered_.last_sequence.next());
    compactor_->start(*flusher_, *committer_);
  }

  // Fixed after open().
  const StoreOptions options_;
  FileSystem& files_;
  Clock& clock_;
  const StorePaths paths_;
  std::unique_ptr<FileLock> lock_;
  RecoveredWal recovered_;

  const std::shared_ptr<PieceCache> cache_;
  const std::shared_ptr<WorkerPool> scan_helpers_;
  Intake intake_;  // fixed before the first append
  WriteGate gate_;
  TenantTable tenants_;
  CommitListeners listeners_;
  std::unique_ptr<Manifest> manifest_;
  std::optional<SharedManifest> shared_manifest_;
  std::optional<WalFiles> wal_files_;
  std::optional<WalWriter> wal_;
  std::optional<Compactor> compactor_;
  std::optional<Flusher> flusher_;
  std::optional<Committer> committer_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options, FileSystem& files, Clock& clock,
                                           RandomSource& random) {
  auto store = std::make_unique<StoreImpl>(std::move(options), files, clock);
  DENDRO_TRY(store->open(random));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace dendro
