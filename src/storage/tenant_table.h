#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "record/record_sink.h"
#include "storage/batch_key_window.h"
#include "storage/manifest_edit.h"
#include "storage/memtable.h"
#include "storage/segment/segment.h"
#include "storage/tombstone.h"

namespace dendro {

/// A request whose frames are durable.
struct CommittedRequest {
  TenantId tenant = TenantId::default_tenant();
  std::vector<MemtableBatch> batches;
  std::optional<BatchKey> key;
  CommitReply reply;
  std::chrono::nanoseconds key_age{};  ///< recovery: how long ago the key came
};

using SegmentList = std::vector<std::shared_ptr<const Segment>>;

/// What readers of one tenant see at one moment.
struct TenantView {
  SequenceNumber last_sequence;
  std::shared_ptr<const SegmentList> segments;      ///< never null
  std::shared_ptr<const TombstoneList> tombstones;  ///< live ones; null: none
  std::vector<MemtableView> memtables;              ///< oldest first; the last may be the active one
};

struct MemtableRules {
  std::uint64_t bytes_max = UINT64_MAX;           ///< a memtable is sealed behind the request that reaches it
  std::uint64_t packed_above_bytes = UINT64_MAX;  ///< in memory only, of all tenants: batches come packed
};

// Invariants of the table:
//   T1 a record is in exactly one of active memtable, sealed memtables, segments, and moves between them under the
//      lock, so every view has it once;
//   T2 a request's records and its key appear together, and all its records stand in one memtable;
//   T3 a joined batch holds what its entries hold: a reader takes either.

/// The committed records of all tenants. Thread-safe.
class TenantTable {
 public:
  TenantTable(Clock& clock, BatchKeyWindow::Limits key_limits, MemtableRules rules = {})
      : clock_(clock), key_limits_(key_limits), rules_(rules) {}

  /// The committer, and recovery, in order of sequence.
  void publish(std::vector<CommittedRequest> requests, SequenceNumber last_sequence);
  /// The first reply to a key of the window. Errors: already_exists.
  Result<std::optional<CommitReply>> find_key(const TenantId& tenant, const BatchKey& key);
  /// A key that recovery found, oldest first, before any that publish brings.
  void restore_key(const TenantId& tenant, const KeyedReply& keyed, std::chrono::nanoseconds age);
  TenantView view(const TenantId& tenant) const;
  SequenceNumber last_sequence() const;
  void set_last_sequence(SequenceNumber sequence);

  /// Tenants that have records in memory.
  std::vector<TenantId> unflushed_tenants() const;
  /// Of those, the ones with a sealed memtable, or one older than `age_max`; small ones (below 1 MiB) wait ten times as
  /// long.
  std::vector<TenantId> due_tenants(std::chrono::nanoseconds age_max) const;
  /// Those that hold most in memory not sealed yet, as many as it takes to free so many bytes; the largest first.
  std::vector<TenantId> largest_tenants(std::uint64_t bytes) const;
  enum class SealWhat : std::uint8_t { active, active_if_none };
  /// Takes the tenant's active memtable, or only if none is sealed yet, out of the way of new records. How many are
  /// sealed now.
  std::size_t seal(const TenantId& tenant, SealWhat what);
  /// The oldest sealed memtable, of at least one.
  MemtableView oldest_sealed(const TenantId& tenant) const;
  /// The segments that hold the oldest sealed memtable take its place.
  void replace_sealed(const TenantId& tenant, const SegmentList& segments);
  /// Segments take the place of others of the tenant, at once; either list may be empty.
  void replace_segments(const TenantId& tenant, const std::set<SegmentId>& removed, const SegmentList& added);
  void add_tombstone(std::shared_ptr<const Tombstone> tombstone);
  void remove_tombstone(const TenantId& tenant, TombstoneId id);
  /// Takes segments, tombstones and retry keys out; what is in memory stays. Gives the segments.
  SegmentList drop_tenant(const TenantId& tenant);
  /// Segments found at opening.
  void add_segments(const TenantId& tenant, const SegmentList& segments);
  /// The smallest sequence number that stands in memory only, the oldest sealed memtable of `flushing` left out.
  /// Nothing: none does.
  std::optional<SequenceNumber> first_unflushed(const std::optional<TenantId>& flushing) const;

  /// The same of one tenant, sealed records included.
  std::optional<SequenceNumber> first_unflushed_of(const TenantId& tenant) const;
  /// True if batches of so many bytes, beside those in memory only, should come packed. Without the lock.
  bool wants_packed(std::uint64_t bytes) const { return unflushed_bytes() + bytes > rules_.packed_above_bytes; }
  /// Bytes, as memtable_bytes_of() counts them, and records in memory only. Without the lock.
  std::uint64_t unflushed_bytes() const { return unflushed_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t unflushed_records() const { return unflushed_records_.load(std::memory_order_relaxed); }
  /// The tenant's part, sealed records included.
  std::uint64_t unflushed_bytes_of(const TenantId& tenant) const;

 private:
  struct Tenant {
    explicit Tenant(BatchKeyWindow::Limits limits) : keys(limits) {}
    std::shared_ptr<Memtable> active;
    std::deque<std::shared_ptr<const Memtable>> sealed;  ///< oldest first; the flusher takes the first
    std::uint64_t memtable_bytes() const;
    bool has(const Memtable& memtable) const;
    std::shared_ptr<const SegmentList> segments = std::make_shared<const SegmentList>();
    std::shared_ptr<const TombstoneList> tombstones;
    BatchKeyWindow keys;
  };
  Tenant& tenant_locked(const TenantId& id) DENDRO_REQUIRES(mutex_);
  /// A group of entries that became full.
  struct FullGroup {
    TenantId tenant;
    std::shared_ptr<Memtable> memtable;
    std::size_t group = 0;
  };
  void publish_one_locked(CommittedRequest& request, std::chrono::nanoseconds now, std::vector<FullGroup>& full)
      DENDRO_REQUIRES(mutex_);
  void join(const FullGroup& full);
  static void append_segments(Tenant& tenant, const SegmentList& segments);

  // Fixed after construction.
  Clock& clock_;
  const BatchKeyWindow::Limits key_limits_;
  const MemtableRules rules_;

  mutable Mutex mutex_;
  std::map<TenantId, Tenant> tenants_ DENDRO_GUARDED_BY(mutex_);
  SequenceNumber last_sequence_ DENDRO_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> unflushed_bytes_{0};
  std::atomic<std::uint64_t> unflushed_records_{0};
};

}  // namespace dendro
