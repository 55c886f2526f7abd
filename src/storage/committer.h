#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "record/record_sink.h"
#include "storage/batch_frame.h"
#include "storage/commit_listener.h"
#include "storage/fair_share.h"
#include "storage/tenant_table.h"
#include "storage/wal_writer.h"
#include "storage/write_gate.h"

namespace dendro {

/// A request on its way to the WAL.
struct PendingRequest {
  CommitRequest request;
  std::vector<FrameDraft> frames;  ///< one a batch
  std::uint64_t frame_bytes = 0;
  std::uint64_t queue_bytes = 0;   ///< what it counts against the queue's bound
  std::uint64_t memory_bytes = 0;  ///< what its batches will take in the memtable
  CommitDone done;
  std::chrono::nanoseconds queued_at{};  ///< of the monotonic clock
};

// Invariants of a commit:
//   C1 the lock of the queue is never held over a write, a sync or a `done`;
//   C2 a request's frames lie in one file, one after the other, and in one write;
//   C3 order: write, sync, publish (records, key and committed sequence at once), `done`;
//   C4 sequence numbers have no gap: those of a group that failed are given again;
//   C5 requests of one tenant are written in the order in which they came; one that finds no room in the memtables
//      waits, and only its own tenant's requests behind it.

/// The one thread that writes the WAL: takes what is queued, writes and syncs it as one group, publishes it, answers.
/// The sync in flight is the linger: there is no timer. `append` by any thread.
class Committer {
 public:
  struct Limits {
    std::uint64_t queue_bytes_max = 0;
    std::uint64_t memtable_bytes_max = 0;  ///< of all tenants; above it requests wait for a flush
    std::chrono::nanoseconds room_wait_max =
        std::chrono::seconds(10);  ///< since they were queued; then they are refused
  };
  /// All outlive this. `next_sequence` is the first one to give.
  Committer(WalWriter& wal, TenantTable& tenants, CommitListeners& listeners, WriteGate& gate, Clock& clock,
            Limits limits, SequenceNumber next_sequence);
  /// Commits what is queued, then ends the thread.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Takes `queue_bytes` of the queue's room. Errors: resource_exhausted, unavailable (stopping). Then enqueue.
  Status reserve(const TenantId& tenant, std::uint64_t queue_bytes);
  void enqueue(PendingRequest pending);

  /// Leaves the current WAL file and waits for it. Any thread but the committer's.
  /// Errors: those of WalWriter::rotate; unavailable (stopping).
  Status rotate_wal();

  struct Figures {
    std::uint64_t records = 0, groups = 0, wal_bytes = 0, replayed = 0;
  };
  Figures figures() const;
  std::uint64_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }

 private:
  using Group = std::vector<PendingRequest>;
  struct Taken {
    Group group;    ///< up to kMaxGroupBytes
    Group refused;  ///< waited too long for room
  };
  void run();
  /// What there is to do with requests; both empty when there is something else to do.
  Taken take();
  void take_waiting_locked(Taken& taken, std::uint64_t& frame_bytes, std::uint64_t& memory_bytes)
      DENDRO_REQUIRES(mutex_);
  void take_queued_locked(Taken& taken, std::uint64_t& frame_bytes, std::uint64_t& memory_bytes)
      DENDRO_REQUIRES(mutex_);
  /// Is there room in the memtables, beside `taken_bytes` of the group at hand?
  bool has_room_locked(const PendingRequest& pending, std::uint64_t taken_bytes) const DENDRO_REQUIRES(mutex_);
  void process(Group group);
  void rotate_if_asked();
  bool is_stopping();
  /// Answers replays and conflicts, gives back what is to be written. A request whose key is in `group` already goes to
  /// `repeats`: it waits for the first.
  Group settle_keys(Group group, Group& repeats);
  void commit_in_parts(Group group);
  /// Requests from `first` on that go into the current file together. Rotates if it has no room for the first.
  Result<std::size_t> fill_part(const Group& group, std::size_t first);
  Status commit_part(std::span<PendingRequest> part);
  void publish_part(std::span<PendingRequest> part);
  /// Of a request whose records go into memtables behind `bytes_before` that are not there yet either.
  std::vector<MemtableBatch> batches_of(const PendingRequest& pending, std::uint64_t bytes_before) const;
  void tell_listeners(std::span<PendingRequest> part, SequenceNumber first);
  void answer(PendingRequest& pending, Result<CommitReply> reply);
  void fail_all(std::span<PendingRequest> part, const Error& error);

  // Fixed after construction.
  WalWriter& wal_;
  TenantTable& tenants_;
  CommitListeners& listeners_;
  WriteGate& gate_;
  Clock& clock_;
  const FairShare queue_share_;
  const FairShare memtable_share_;
  const std::chrono::nanoseconds room_wait_max_;

  SequenceNumber next_sequence_;  ///< the committer's thread only

  std::atomic<std::uint64_t> queued_bytes_{0};
  std::atomic<std::uint64_t> records_{0}, groups_{0}, wal_bytes_{0}, replayed_{0};
  Mutex mutex_;
  CondVar wake_;
  std::deque<PendingRequest> queue_ DENDRO_GUARDED_BY(mutex_);
  std::map<TenantId, std::deque<PendingRequest>> waiting_ DENDRO_GUARDED_BY(mutex_);  ///< for room, none empty
  std::map<TenantId, std::uint64_t> queued_by_tenant_ DENDRO_GUARDED_BY(mutex_);
  bool stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  CondVar rotated_;
  std::uint64_t rotations_asked_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t rotations_done_ DENDRO_GUARDED_BY(mutex_) = 0;
  Status last_rotation_ DENDRO_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace dendro
