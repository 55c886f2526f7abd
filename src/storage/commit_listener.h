#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "record/record_batch.h"

namespace dendro {

/// A batch that is durable and visible to new snapshots.
struct CommittedBatch {
  std::shared_ptr<const RecordBatch> batch;
  SequenceNumber first_sequence;
};

/// Is told of what a tenant commits, in order of sequence (engine.md 4.9).
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  /// On the committer's thread, behind the publication and before the answers to the senders: must neither block nor
  /// throw. Several batches of one group commit come in one call.
  virtual void on_commit(const std::vector<CommittedBatch>& batches) = 0;
};

/// The same of every tenant's.
class EveryCommitListener {
 public:
  virtual ~EveryCommitListener() = default;
  virtual void on_commit(const TenantId& tenant, const std::vector<CommittedBatch>& batches) = 0;
};

/// Who listens to which tenant. Thread-safe.
class CommitListeners {
 public:
  /// Until the listener is gone. It hears every batch whose publication begins behind this call; one that was under way
  /// may be heard too, so compare with the snapshot's last_sequence().
  void add(const TenantId& tenant, std::weak_ptr<CommitListener> listener);
  /// To all of them, as `add` to one.
  void add_to_all(std::weak_ptr<EveryCommitListener> listener);
  /// The committer's thread. Forgets those that are gone.
  void notify(const TenantId& tenant, const std::vector<CommittedBatch>& batches);
  /// False: nobody listens to any tenant, so there is nothing to gather.
  bool any() const;

 private:
  mutable Mutex mutex_;
  std::map<TenantId, std::vector<std::weak_ptr<CommitListener>>> listeners_ DENDRO_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<EveryCommitListener>> every_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
