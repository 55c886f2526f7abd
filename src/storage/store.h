#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "io/file_system.h"
#include "record/record_sink.h"
#include "storage/backup.h"
#include "storage/commit_listener.h"
#include "storage/compaction/compaction_plan.h"
#include "storage/compaction/retention.h"
#include "storage/removal_witness.h"
#include "storage/snapshot.h"
#include "storage/store_health.h"
#include "storage/tombstone_info.h"
#include "storage/verify.h"
#include "storage/work_watch.h"

namespace dendro {

struct StoreOptions {
  std::string directory;                                   ///< made if missing
  std::uint64_t wal_file_bytes = std::uint64_t{32} << 20;  ///< one WAL file
  std::size_t wal_pool_files_max = 8;                      ///< recycled files kept ready
  std::uint64_t wal_backlog_bytes_max = std::uint64_t{1}
                                        << 30;  ///< memory of what is not flushed, all tenants; requests then wait
                                                ///< in the queue; the last quarter is kept for tenants with little
  std::uint64_t queue_bytes_max = std::uint64_t{256} << 20;    ///< requests waiting for the committer, shared likewise
  std::uint64_t memtable_bytes_max = std::uint64_t{64} << 20;  ///< a tenant's, then it is flushed
  std::chrono::seconds memtable_age_max{60};
  std::uint64_t free_bytes_min = std::uint64_t{1}
                                 << 30;  ///< below it (or 5 %): storage_full before anything is written
  double free_share_min = 0.05;
  std::chrono::hours batch_key_window{24};
  std::size_t batch_keys_max = 100'000;  ///< a tenant, oldest out first
  std::size_t scan_threads = 1;          ///< that help a query's own over row groups, for all queries together; 0: none
  std::size_t block_cache_bytes = std::size_t{256} << 20;  ///< decoded pieces of segments, all tenants
  std::uint64_t manifest_rewrite_bytes = std::uint64_t{4}
                                         << 20;  ///< a manifest beyond it is rewritten if that halves it
  CompactionRules compaction;
  RemovalWitness removal_witness;  ///< empty: nobody wants to hear of removals
  bool compacts_by_itself = true;  ///< false: retention, merges and deletions are carried out by compact() only
  RetentionRules retention;        ///< default: everything is kept for ever
  /// A fault to order: merges leave deleted records where they are, as if they had a fault of their own.
  bool keeps_deleted_for_test = false;
};

/// Figures for /metrics and the own log; counters since opening unless said otherwise.
struct StoreStats {
  std::uint64_t records_committed = 0, groups_committed = 0, wal_bytes_written = 0;
  std::uint64_t memtable_bytes = 0, memtable_records = 0;                   ///< now
  std::uint64_t segment_count = 0, segment_bytes = 0, segment_records = 0;  ///< now
  std::uint64_t flushes = 0, batches_replayed = 0;
  std::uint64_t compactions = 0, compaction_failures = 0;
  /// Row groups that did not come back from their encoding and were stored plainly: 0, or the encoder has a fault.
  std::uint64_t reencoded_row_groups = 0;
  std::uint64_t compaction_bytes_read = 0, compaction_bytes_written = 0;  ///< of segment files
  std::uint64_t days_dropped = 0;                                         ///< by retention, a tenant's day each
  std::uint64_t records_deleted = 0;  ///< taken out of files; those deleted and not yet rewritten are not counted
  std::uint64_t live_tombstones = 0;  ///< now: deletions that files do not follow yet
  std::uint64_t torn_tail_bytes = 0, recovered_records = 0;  ///< of the last opening
};

/// What an operator asks of a store that runs. Some of it is counted when asked for.
struct StoreCondition {
  StoreHealth health;
  StoreStats stats;
  std::uint64_t wal_files = 0, wal_bytes = 0;  ///< closed, still needed
  std::uint64_t damaged_segments = 0;          ///< that could not be opened
  CompactionDebt debt;
  DiskSpace disk;
  std::chrono::nanoseconds wall_clock_lead{};  ///< above 0: retention does not believe the clock (RetentionClock)
};

struct Predicate;

/// The embedded engine: WAL, memtable, segments and manifest of all tenants in one folder. Thread-safe.
class Store : public RecordSink {
 public:
  /// Locks the folder, recovers what was acknowledged, starts the committer and the flusher.
  /// Errors: unavailable (another process holds the folder), corruption (names file and offset), io_error,
  /// storage_full, permission_denied. `files`, `clock` and `random` outlive the store.
  static Result<std::unique_ptr<Store>> open(StoreOptions options, FileSystem& files, Clock& clock,
                                             RandomSource& random);
  /// Answers what is queued, flushes nothing, syncs, unlocks.
  ~Store() override = default;

  /// What every request passes before anything of it is journalled, whoever appends it: it may replace the batches, or
  /// refuse the request with an error. Called on the appending thread. To be set before the first append.
  using Intake = std::function<Status(CommitRequest&)>;
  virtual void set_intake(Intake intake) = 0;

  virtual Result<std::shared_ptr<const Snapshot>> snapshot(const TenantId& tenant) = 0;
  /// Who wants to hear what is committed. Lives as long as the store.
  virtual CommitListeners& listeners() = 0;
  /// Writes every memtable into segments and waits. For tests and `dendro admin`.
  virtual Status flush() = 0;
  /// Does now, and waits, what is due of retention, compaction and deletion; with all_final also what would be due once
  /// every day is over. Readers that were there before go on with what they had.
  /// Progress counts merges. Errors: storage_full and io_error (the rest is not done); corruption (all was done but
  /// what a damaged segment hinders; the log names it); internal (a deleted record is still found in a rewritten
  /// segment: that deletion stays pending); unavailable (closing, or writing has stopped); cancelled.
  virtual Status compact(CompactionScope scope = CompactionScope::due, WorkWatch watch = {}) = 0;
  /// Deletes the tenant's records inside the range that match and were acknowledged before. New readers see them no
  /// more when this returns, also after a restart; compaction takes them out of the files later. Waits for the disk.
  /// Errors: invalid_argument (a predicate that asks for `_id` or `_observed`, or is too large), storage_full,
  /// io_error.
  virtual Result<TombstoneId> delete_records(const TenantId& tenant, TimeRange range, const Predicate& predicate) = 0;
  /// The tenant's deletions that files do not follow yet, oldest first.
  virtual std::vector<TombstoneInfo> pending_deletions(const TenantId& tenant) const = 0;
  /// How long the tenant's records are kept from now on, instead of what StoreOptions say; nothing: as they say. Held
  /// in memory: whoever keeps the rules says them again after opening.
  virtual void set_tenant_retention(const TenantId& tenant, std::optional<RetentionRule> rule) = 0;
  /// Deletes all that the tenant stored before, its retry keys and its folder. What is acknowledged while this runs may
  /// go too. Waits for the disk. Errors: those of flush.
  virtual Status drop_tenant(const TenantId& tenant) = 0;
  /// A backup of the store as it is now, with all that was acknowledged before, into a new or empty folder; what comes
  /// meanwhile may be in it or not. Progress counts files. Errors: as backup_store (backup.h); cancelled; unavailable
  /// (writing has stopped); storage_full also where the store's own disk has no room for another WAL file.
  virtual Result<BackupReport> backup(const std::string& to, const WorkWatch& watch, const AddToBackup& add = {}) = 0;
  /// Looks at every byte of what is listed now, as verify_store (verify.h), but for the WAL file that is being written.
  /// Errors: cancelled, io_error.
  virtual Result<VerifyReport> verify(const WorkWatch& watch) = 0;
  virtual StoreHealth health() const = 0;
  virtual StoreStats stats() const = 0;
  virtual StoreCondition condition() const = 0;
};

}  // namespace dendro
