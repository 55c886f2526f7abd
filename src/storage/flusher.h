#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "storage/shared_manifest.h"
#include "storage/tenant_table.h"
#include "storage/wal_files.h"
#include "storage/write_gate.h"

namespace dendro {

// The order of a flush, on which recovery rests (engine.md 3.2, 3.7):
//   F1 segments written, synced, named, folders synced;
//   F2 one edit group: segments, flushed-through, counters with the first WAL file still needed; synced;
//   F3 published: segments in place of the memtable;
//   F4 WAL files below the first needed one released.
// A power cut before F2 leaves unlisted files, which the next opening deletes; one behind F2 leaves WAL frames that the
// flushed-through makes it skip.

/// The one thread that turns memtables into segments.
class Flusher {
 public:
  struct Limits {
    std::chrono::nanoseconds memtable_age_max{};
    std::uint64_t wal_bytes_max = 0;     ///< closed WAL files over this: everything is flushed
    std::uint64_t memory_bytes_max = 0;  ///< all memtables over this: the largest tenants are flushed
  };
  /// All outlive this. `on_flush` runs on the flusher's thread behind each flush and must not block.
  Flusher(const StorePaths& paths, FileSystem& files, SharedManifest& manifest, TenantTable& tenants,
          WalFiles& wal_files, WriteGate& gate, Limits limits, std::function<void()> on_flush);
  /// Ends behind the flush at hand, flushes nothing more.
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  /// Flushes everything that was committed when it was called, and waits. Any thread but the committer's.
  Status flush_all();
  /// Lets go of the WAL files whose records are all in segments, though no flush is due. Any thread.
  Status release_wal();
  /// Looks at sizes and ages soon. Any thread; cheap.
  void wake() { wake_.notify_one(); }

  /// The last flush failed; it is tried again every few seconds. Any thread.
  bool is_failing() const { return is_failing_.load(std::memory_order_relaxed); }
  std::uint64_t flushes() const { return flushes_.load(std::memory_order_relaxed); }
  /// As SegmentWriter counts them.
  std::uint64_t reencoded_row_groups() const { return reencoded_row_groups_.load(std::memory_order_relaxed); }

 private:
  void run();
  struct Due {
    std::vector<TenantId> tenants;
    TenantTable::SealWhat what = TenantTable::SealWhat::active;
  };
  Due due() const;
  Status flush_tenants(const Due& due);
  Status flush_tenant(const TenantId& tenant, TenantTable::SealWhat what);
  Status flush_oldest(const TenantId& tenant);
  Result<std::vector<SegmentInfo>> write_segments(const TenantId& tenant, const MemtableView& sealed);
  /// F2 and F3.
  Status list_and_publish(const TenantId& tenant, const MemtableView& sealed, const std::vector<SegmentInfo>& segments);
  WalNumber first_live_wal(const std::optional<TenantId>& flushing) const;
  void remove_unlisted(const std::vector<SegmentInfo>& segments);

  // Fixed after construction.
  const StorePaths& paths_;
  FileSystem& files_;
  TenantTable& tenants_;
  WalFiles& wal_files_;
  WriteGate& gate_;
  const Limits limits_;

  SharedManifest& manifest_;
  const std::function<void()> on_flush_;

  std::atomic<std::uint64_t> flushes_{0}, reencoded_row_groups_{0};
  std::atomic<bool> is_failing_{false};
  Mutex mutex_;
  CondVar wake_;
  CondVar round_done_;
  bool stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::uint64_t rounds_asked_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t rounds_done_ DENDRO_GUARDED_BY(mutex_) = 0;
  Status last_round_ DENDRO_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace dendro
