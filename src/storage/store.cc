#include "storage/store.h"

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "filter/predicate_codec.h"
#include "storage/committer.h"
#include "storage/compaction/compactor.h"
#include "storage/flusher.h"
#include "storage/limits.h"
#include "storage/recovery.h"
#include "storage/shared_manifest.h"
#include "storage/store_scan.h"

namespace dendro {
namespace {

/// What a batch costs in the queue beside its bytes.
constexpr std::uint64_t kQueuedBatchOverheadBytes = 256;
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

/// What a deletion may ask for: what a record is, not where it stands or how it came.
Result<std::string> encode_deletion(const Predicate& predicate) {
  bool is_decidable = true;
  for_each_field(predicate, [&is_decidable](std::string_view field) {
    if (field == "_id" || field == "_observed") is_decidable = false;
  });
  if (!is_decidable) {
    return Error(ErrorCode::invalid_argument, "records cannot be deleted by _id or _observed: name their content");
  }
  std::string encoded = encode_predicate(predicate);
  if (encoded.size() > kMaxTombstonePredicateBytes) {
    return Error(ErrorCode::invalid_argument, "the filter of a deletion takes " + std::to_string(encoded.size()) +
                                                  " bytes, at most " + std::to_string(kMaxTombstonePredicateBytes) +
                                                  " are kept: delete in several steps");
  }
  DENDRO_TRY_ASSIGN(const Predicate again, decode_predicate(encoded));
  if (!(again == predicate)) return Error(ErrorCode::internal, "a filter does not survive being stored");
  return encoded;
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
        gate_(files, options_.directory, {options_.free_bytes_min, options_.free_share_min}),
        tenants_(clock, {options_.batch_key_window, options_.batch_keys_max}) {}

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

  Status append(CommitRequest request, CommitDone done) override {
    DENDRO_TRY_ASSIGN(const std::uint64_t bytes, check_request(request));
    DENDRO_TRY(gate_.check_open());
    const std::uint64_t backlog = tenants_.unflushed_bytes() + committer_->queued_bytes();
    if (backlog + bytes > options_.wal_backlog_bytes_max) {
      return Error(ErrorCode::resource_exhausted,
                   std::to_string(backlog) + " bytes wait to be flushed; the disk is behind, send again later");
    }
    PendingRequest pending;
    pending.queue_bytes = bytes + request.batches.size() * kQueuedBatchOverheadBytes;
    // Not resource_exhausted: it would never fit, and the sender would try for ever.
    if (pending.queue_bytes > options_.queue_bytes_max) return too_large_request(bytes, options_.queue_bytes_max);
    DENDRO_TRY(committer_->reserve(pending.queue_bytes));
    pending.frames = draft_frames(request);
    for (const FrameDraft& draft : pending.frames) pending.frame_bytes += draft.image.size();
    pending.request = std::move(request);
    pending.done = std::move(done);
    committer_->enqueue(std::move(pending));
    return {};
  }

  Result<std::shared_ptr<const Snapshot>> snapshot(const TenantId& tenant) override {
    return make_store_snapshot(tenant, tenants_.view(tenant), cache_);
  }

  Status flush() override { return flusher_->flush_all(); }
  Status compact(CompactionScope scope) override { return compactor_->compact(scope); }

  Result<TombstoneId> delete_records(const TenantId& tenant, TimeRange range, const Predicate& predicate) override {
    DENDRO_TRY(gate_.check_open());
    TombstoneInfo info;
    info.tenant = tenant;
    info.range = range;
    DENDRO_TRY_ASSIGN(info.predicate, encode_deletion(predicate));
    std::shared_ptr<const Tombstone> tombstone;
    const auto prepare = [&](const ManifestState& state, SharedManifest::Change& change) -> Status {
      info.id = state.tombstones.empty() ? TombstoneId(1) : state.tombstones.rbegin()->first.next();
      info.sequence = change.last_sequence = tenants_.last_sequence();
      DENDRO_TRY_ASSIGN(tombstone, Tombstone::open(info));
      change.edits.emplace_back(info);
      return {};
    };
    const Status changed = shared_manifest_->change(prepare, [&] { tenants_.add_tombstone(tombstone); });
    if (!changed) return stop_if_unknown(changed.error());
    compactor_->wake();
    return info.id;
  }

  Status drop_tenant(const TenantId& tenant) override {
    // Behind the flush nothing of before stands in memory, and the WAL's frames count as flushed: no replay brings them
    // back.
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

 private:
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
    const Flusher::Limits limits{options_.memtable_bytes_max, options_.memtable_age_max,
                                 options_.wal_backlog_bytes_max / 2};
    shared_manifest_.emplace(*manifest_);
    Compactor::Options compactor_options;
    compactor_options.rules = options_.compaction;
    compactor_options.rules.fan_in = std::max<std::size_t>(options_.compaction.fan_in, 2);
    compactor_options.retention = options_.retention;
    compactor_options.batch_key_window = options_.batch_key_window;
    compactor_options.is_automatic = options_.compacts_by_itself;
    compactor_.emplace(paths_, files_, clock_, *shared_manifest_, tenants_, *wal_files_, gate_, compactor_options);
    flusher_.emplace(paths_, files_, *shared_manifest_, tenants_, *wal_files_, gate_, limits,
                     [this] { compactor_->wake(); });
    committer_.emplace(*wal_, tenants_, gate_, options_.queue_bytes_max, recovered_.last_sequence.next());
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
  WriteGate gate_;
  TenantTable tenants_;
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
