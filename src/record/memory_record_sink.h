#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "record/record_sink.h"

namespace dendro {

/// Keeps what is pushed, in memory only: for tests of whoever pushes, and as the plain example of the interface.
/// Thread-safe. `done` runs inside `append`, on the caller's thread: there is no other.
class MemoryRecordSink final : public RecordSink {
 public:
  struct Kept {
    TenantId tenant = TenantId::default_tenant();
    std::shared_ptr<const RecordBatch> batch;
    SequenceNumber first_sequence;
  };

  Status append(CommitRequest request, CommitDone done) override;

  /// Every batch so far, in order of sequence.
  std::vector<Kept> kept() const;
  /// The next appends fail with this, at once; nothing is kept. Success again with ok_status().
  void fail_with(Status failure);

 private:
  struct FirstReply {
    Bytes16 content_hash{};
    CommitReply reply;
  };
  Result<CommitReply> keep_locked(const CommitRequest& request) DENDRO_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Status failure_ DENDRO_GUARDED_BY(mutex_);
  SequenceNumber next_sequence_ DENDRO_GUARDED_BY(mutex_){1};
  std::vector<Kept> kept_ DENDRO_GUARDED_BY(mutex_);
  std::map<std::pair<TenantId, Bytes16>, FirstReply> replies_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
