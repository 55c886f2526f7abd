#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "io/file_system.h"
#include "record/record_sink.h"
#include "storage/snapshot.h"
#include "storage/store_health.h"

namespace dendro {

struct StoreOptions {
  std::string directory;                                   ///< made if missing
  std::uint64_t wal_file_bytes = std::uint64_t{32} << 20;  ///< one WAL file
  std::size_t wal_pool_files_max = 8;                      ///< recycled files kept ready
  std::uint64_t wal_backlog_bytes_max = std::uint64_t{1}
                                        << 30;  ///< not yet flushed; above it append answers resource_exhausted
  std::uint64_t queue_bytes_max = std::uint64_t{256} << 20;    ///< requests waiting for the committer
  std::uint64_t memtable_bytes_max = std::uint64_t{64} << 20;  ///< a tenant's, then it is flushed
  std::chrono::seconds memtable_age_max{60};
  std::uint64_t free_bytes_min = std::uint64_t{1}
                                 << 30;  ///< below it (or 5 %): storage_full before anything is written
  double free_share_min = 0.05;
  std::chrono::hours batch_key_window{24};
  std::size_t batch_keys_max = 100'000;                   ///< a tenant, oldest out first
  std::size_t block_cache_bytes = std::size_t{64} << 20;  ///< unpacked segment blocks, all tenants
  std::uint64_t manifest_rewrite_bytes = std::uint64_t{4}
                                         << 20;  ///< a manifest beyond it is rewritten if that halves it
};

/// Figures for /metrics and the own log; counters since opening unless said otherwise.
struct StoreStats {
  std::uint64_t records_committed = 0, groups_committed = 0, wal_bytes_written = 0;
  std::uint64_t memtable_bytes = 0, memtable_records = 0;                   ///< now
  std::uint64_t segment_count = 0, segment_bytes = 0, segment_records = 0;  ///< now
  std::uint64_t flushes = 0, batches_replayed = 0;
  std::uint64_t torn_tail_bytes = 0, recovered_records = 0;  ///< of the last opening
};

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

  virtual Result<std::shared_ptr<const Snapshot>> snapshot(const TenantId& tenant) = 0;
  /// Writes every memtable into segments and waits. For tests and `dendro admin`.
  virtual Status flush() = 0;
  virtual StoreHealth health() const = 0;
  virtual StoreStats stats() const = 0;
};

}  // namespace dendro
