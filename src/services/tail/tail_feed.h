#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/worker_pool.h"
#include "services/tail/tail_memory.h"
#include "services/tail/tail_query.h"
#include "storage/commit_listener.h"

namespace dendro {

class TailSession;

/// What one tenant commits, on its way to the tenant's tails. The committer's thread only puts batches into a bounded
/// queue; one worker at a time takes them out, asks each distinct query once a batch, and hands the tails their share.
/// Thread-safe.
class TailFeed final : public CommitListener, public std::enable_shared_from_this<TailFeed> {
 public:
  /// `workers` outlives every call but those behind stop(). A batch that `memory` or the queue has no room for is
  /// dropped, and the tails read it from the store.
  TailFeed(WorkerPool& workers, std::size_t queue_bytes_max, std::shared_ptr<const TailMemory> memory);

  void on_commit(const std::vector<CommittedBatch>& batches) override;

  /// Every batch committed from now on goes to the session. False, and nothing is done, if there are `sessions_max`.
  bool add(const std::shared_ptr<const TailQuery>& query, const std::shared_ptr<TailSession>& session,
           std::size_t sessions_max);
  void remove(const TailSession& session);
  /// A query that some tail of this tenant runs under the key; null if none does.
  std::shared_ptr<const TailQuery> find_query(const std::string& key) const;
  void remember_query(const std::string& key, const std::shared_ptr<const TailQuery>& query);
  std::vector<std::shared_ptr<TailSession>> sessions() const;
  /// Tries again what a full worker pool refused.
  void tick();
  /// Hands out nothing any more.
  void stop();

 private:
  struct Member {
    const TailSession* address = nullptr;
    std::weak_ptr<TailSession> session;
  };
  struct Group {
    std::shared_ptr<const TailQuery> query;
    std::vector<Member> members;
  };
  using Groups = std::vector<Group>;
  /// A committed batch; without one, [first, last] was dropped because too much waited.
  struct Waiting {
    std::shared_ptr<const RecordBatch> batch;
    SequenceNumber first, last;
  };
  void start_pump_locked() DENDRO_REQUIRES(mutex_);
  void pump();
  void hand_out(const Waiting& waiting, const Groups& groups) const;
  std::shared_ptr<const RecordBlock> select(const TailQuery& query, const Waiting& waiting) const;

  // Fixed after construction.
  WorkerPool& workers_;
  const std::size_t queue_bytes_max_;
  const std::shared_ptr<const TailMemory> memory_;

  mutable Mutex mutex_;
  std::shared_ptr<const Groups> groups_ DENDRO_GUARDED_BY(mutex_) = std::make_shared<const Groups>();
  std::vector<std::pair<std::string, std::weak_ptr<const TailQuery>>> queries_ DENDRO_GUARDED_BY(mutex_);
  std::deque<Waiting> waiting_ DENDRO_GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
  bool is_pumping_ DENDRO_GUARDED_BY(mutex_) = false;
  bool is_stopped_ DENDRO_GUARDED_BY(mutex_) = false;
};

}  // namespace dendro
