#pragma once

#include <map>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "query/language/query_fault.h"
#include "services/tail/tail_session.h"

namespace dendro {

/// All live tails of a server. Thread-safe.
class TailHub {
 public:
  explicit TailHub(TailParts parts, TailOptions options = {});
  /// Closes what is still open.
  ~TailHub();
  TailHub(const TailHub&) = delete;
  TailHub& operator=(const TailHub&) = delete;

  /// Begins a tail. Blocks for about a millisecond: call it on a worker. The caller closes the session when its reader
  /// leaves.
  /// Errors: as TailQuery::prepare with `fault` (empty message: it is not about the query); invalid_argument (`since`,
  /// `rows_per_s_max`); resource_exhausted (too many tails); unavailable (shutting down); those of the snapshot.
  Result<std::shared_ptr<TailSession>> open(const TailRequest& request, QueryFault& fault);

  /// Ends every tail with `end` `shutdown`; no further one begins. The workers must still run.
  void shut_down();
  /// Looks at the clock for all tails; a thread of the hub's does it each 50 ms unless the options say otherwise.
  void tick();
  /// Tails that are open.
  std::size_t open_tails() const;
  /// What they hold together.
  std::uint64_t memory_bytes() const { return memory_->used(); }
  const Clock& clock() const { return parts_.clock; }

 private:
  std::shared_ptr<TailFeed> feed_of(const TenantId& tenant);
  Result<std::shared_ptr<const TailQuery>> query_of(TailFeed& feed, const TailRequest& request, QueryFault& fault);
  std::vector<std::shared_ptr<TailFeed>> feeds() const;
  void run_ticks();

  // Fixed after construction.
  const TailParts parts_;
  const TailOptions options_;
  const std::shared_ptr<const TailMemory> memory_;
  const std::shared_ptr<const LookupTables> tables_;  ///< null: there are none

  mutable Mutex mutex_;
  CondVar wake_;
  std::map<TenantId, std::weak_ptr<TailFeed>> feeds_ DENDRO_GUARDED_BY(mutex_);
  bool is_shut_down_ DENDRO_GUARDED_BY(mutex_) = false;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread ticker_;  // last: it uses the rest
};

}  // namespace dendro
