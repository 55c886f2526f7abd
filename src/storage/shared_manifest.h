#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "storage/manifest.h"

namespace dendro {

// Invariants:
//   S1 an edit and what it makes visible to readers belong together: no other edit comes between them. So the order of
//      the edits is the order in which readers see them, and a segment that was removed does not come back;
//   S2 a segment id is given once in the life of this object; what was given is durable with the next change;
//   S3 the counters of a group are made here, from those before: none goes back, whoever writes.

/// The manifest as its writers share it: flusher, compactor, deletions. One writer at a time, which keeps the lock over
/// its sync: the others have nothing to do before it. Thread-safe.
class SharedManifest {
 public:
  /// @param manifest  open, and outlives this.
  explicit SharedManifest(Manifest& manifest);

  /// What a writer wants changed.
  struct Change {
    std::vector<ManifestEdit> edits;  ///< without Counters; none: nothing is written
    SequenceNumber last_sequence;     ///< at least so many were given
    WalNumber first_live_wal;         ///< files below hold nothing that is needed
    bool rewrites = false;            ///< the file is written anew, so that nothing of removed edits stays in it
  };
  /// `prepare` sees the state and fills the change; its error is given back and nothing happens. The edits are made
  /// durable, then `publish` runs; no other writer comes between. Neither calls back into this object.
  /// Errors: those of `prepare` and of Manifest::append.
  Status change(const std::function<Status(const ManifestState&, Change&)>& prepare,
                const std::function<void()>& publish = {});
  /// Looks at the state; the lock is held meanwhile.
  void read(const std::function<void(const ManifestState&)>& look) const;
  SegmentId take_segment_id();
  const Bytes16& store_id() const { return store_id_; }
  /// Errors: io_error once an append has failed for good.
  Status check_usable() const;

  struct Figures {
    std::uint64_t segment_count = 0, segment_bytes = 0, segment_records = 0, live_tombstones = 0;
  };
  /// Without the lock.
  Figures figures() const;

 private:
  void count_segments() DENDRO_REQUIRES(mutex_);

  const Bytes16 store_id_;
  mutable Mutex mutex_;
  Manifest& manifest_ DENDRO_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> next_segment_;
  std::atomic<std::uint64_t> segment_count_{0}, segment_bytes_{0}, segment_records_{0}, live_tombstones_{0};
};

}  // namespace dendro
