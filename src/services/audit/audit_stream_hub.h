#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/worker_pool.h"
#include "services/audit/audit_stream_session.h"
#include "services/audit/limits.h"

namespace dendro {

/// What streams read at once.
inline constexpr StoredPage kAuditStreamPage{kAuditStreamPageLogs, kAuditStreamBytesMax};

struct AuditStreamOptions {
  std::size_t streams_per_tenant_max = kAuditStreamsPerTenant;
  AuditStreamLimits limits{kAuditStreamFramesMax, kAuditStreamBytesMax};
};

/// What a reader asks to follow.
struct AuditStreamRequest {
  TenantId tenant = TenantId::default_tenant();
  AuditFilter filter = {};
  std::string after = {};                                          ///< id of a log; empty: from now on
  std::shared_ptr<const RecordRestriction> restriction = nullptr;  ///< null: everything is seen
};

/// All streams of a server (five-systems.md 4.5). What a tenant stores is read once for all its live streams that may
/// see the same of it, by a thread of the hub's, in the order of storing; a stream that resumes reads by itself, on a
/// worker, until it has come up to the others. Thread-safe; held by shared_ptr, which its sessions share.
class AuditStreamHub : public std::enable_shared_from_this<AuditStreamHub> {
 public:
  /// The arguments outlive it.
  static std::shared_ptr<AuditStreamHub> start(AuditStore& store, WorkerPool& workers, AuditStreamOptions options = {});
  ~AuditStreamHub();
  AuditStreamHub(const AuditStreamHub&) = delete;
  AuditStreamHub& operator=(const AuditStreamHub&) = delete;

  /// Begins a stream: what is stored from now on is in it. Waits for the disk where `after` is given. The caller closes
  /// the session when its reader leaves.
  /// Errors: not_found (`after`), resource_exhausted (too many streams), unavailable (stopping), those of the store.
  Result<std::shared_ptr<AuditStreamSession>> open(const AuditStreamRequest& request, std::function<void()> wake);
  /// Ends the thread; sessions get nothing any more.
  void stop();
  std::size_t open_streams() const;

  // ---- sessions ----
  AuditStore& store() { return store_; }
  /// True: every log behind `place` will be offered to the session. False: more was handed out already.
  bool try_join(const std::shared_ptr<AuditStreamSession>& session, StoredPlace place);
  /// Runs the session's catch_up on some thread.
  void schedule(const std::shared_ptr<AuditStreamSession>& session);
  void session_ended(const TenantId& tenant);

 private:
  using FeedKey = std::pair<TenantId, std::string>;  ///< of AuditReader::key
  /// The live streams of a tenant that see the same.
  struct Feed {
    AuditReader reader;
    StoredPlace through = {};  ///< handed out
    bool has_news = true;
    std::vector<std::weak_ptr<AuditStreamSession>> members = {};
    std::shared_ptr<void> listening = {};
  };
  AuditStreamHub(AuditStore& store, WorkerPool& workers, AuditStreamOptions options);
  void run();
  void run_turn();
  /// Reads a page for a feed's streams and hands it out. False: there is nothing more for now.
  bool advance(const FeedKey& key);
  void note_news(const FeedKey& key);
  std::shared_ptr<void> listen(const FeedKey& key);

  // Fixed after construction.
  AuditStore& store_;
  WorkerPool& workers_;
  const AuditStreamOptions options_;
  CancelToken cancel_;

  mutable Mutex mutex_;
  CondVar wake_, pace_;
  std::map<FeedKey, Feed> feeds_ DENDRO_GUARDED_BY(mutex_);
  std::map<TenantId, std::size_t> open_ DENDRO_GUARDED_BY(mutex_);                        ///< sessions
  std::vector<std::shared_ptr<AuditStreamSession>> scheduled_ DENDRO_GUARDED_BY(mutex_);  ///< refused by the workers
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  bool has_news_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace dendro
