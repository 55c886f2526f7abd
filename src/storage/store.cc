#include "storage/store.h"

#include <optional>

#include "base/log.h"
#include "storage/committer.h"
#include "storage/flusher.h"
#include "storage/limits.h"
#include "storage/recovery.h"
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

/// Members stand in the order in which they must be made; the reverse is the order of closing: the committer answers
/// what is queued, the flusher ends, the WAL's zeroer ends, the lock goes last.
class StoreImpl final : public Store {
 public:
  StoreImpl(StoreOptions options, FileSystem& files, Clock& clock)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        paths_(options_.directory),
        cache_(std::make_shared<BlockCache>(options_.block_cache_bytes)),
        gate_(files, options_.directory, {options_.free_bytes_min, options_.free_share_min}),
        tenants_(clock, {options_.batch_key_window, options_.batch_keys_max}) {}

  Status open(RandomSource& random) {
    DENDRO_TRY(files_.create_directories(paths_.root()));
    DENDRO_TRY_ASSIGN(lock_, files_.lock(paths_.lock_file()));
    DENDRO_TRY_ASSIGN(manifest_, Manifest::open(paths_, files_, clock_, random, options_.manifest_rewrite_bytes));
    DENDRO_TRY(files_.create_directories(paths_.wal_folder()));
    DENDRO_TRY(files_.create_directories(paths_.tenants_folder()));
    if (manifest_->was_read_clean()) DENDRO_TRY(remove_unlisted_files(paths_, files_, manifest_->state()));
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
  StoreHealth health() const override { return gate_.health(); }

  StoreStats stats() const override {
    const Committer::Figures committed = committer_->figures();
    const Flusher::Figures flushed = flusher_->figures();
    StoreStats stats;
    stats.records_committed = committed.records;
    stats.groups_committed = committed.groups;
    stats.wal_bytes_written = committed.wal_bytes;
    stats.batches_replayed = committed.replayed;
    stats.memtable_bytes = tenants_.unflushed_bytes();
    stats.memtable_records = tenants_.unflushed_records();
    stats.segment_count = flushed.segment_count;
    stats.segment_bytes = flushed.segment_bytes;
    stats.segment_records = flushed.segment_records;
    stats.flushes = flushed.flushes;
    stats.torn_tail_bytes = recovered_.torn_tail_bytes;
    stats.recovered_records = recovered_.records;
    return stats;
  }

 private:
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
    flusher_.emplace(paths_, files_, *manifest_, tenants_, *wal_files_, gate_, limits);
    committer_.emplace(*wal_, tenants_, gate_, options_.queue_bytes_max, recovered_.last_sequence.next());
  }

  // Fixed after open().
  const StoreOptions options_;
  FileSystem& files_;
  Clock& clock_;
  const StorePaths paths_;
  std::unique_ptr<FileLock> lock_;
  RecoveredWal recovered_;

  const std::shared_ptr<BlockCache> cache_;
  WriteGate gate_;
  TenantTable tenants_;
  std::unique_ptr<Manifest> manifest_;
  std::optional<WalFiles> wal_files_;
  std::optional<WalWriter> wal_;
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
