#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "services/audit/audit_filter.h"
#include "services/audit/audit_store.h"

namespace dendro {

class AuditStreamHub;

/// A stored log on its way to the readers of a stream; its text is made once, when the first one wants it. Of the
/// thread that hands it out.
class AuditStreamLog {
 public:
  explicit AuditStreamLog(StoredAuditLog stored) : stored_(std::move(stored)) {}
  StoredPlace place() const { return stored_.place; }
  const AuditLog& log() const { return stored_.log; }
  /// The log as a frame of five-systems.md 4.5.
  const std::shared_ptr<const std::string>& frame();

 private:
  StoredAuditLog stored_;
  std::shared_ptr<const std::string> frame_;
};

struct AuditStreamLimits {
  std::size_t frames_max = 0, bytes_max = 0;
};

/// One reader's stream. Logs wait in a bounded queue until the reader takes them; what does not fit is dropped, counted
/// and named in a frame at its place, so a slow reader costs the others nothing. Thread-safe; held by shared_ptr.
///
/// States: catching_up (reads the store by itself, as fast as the reader takes; drops nothing) -> live (is handed what
/// the hub reads) ; any -> failed (reading did) ; any -> closed (the reader left).
class AuditStreamSession : public std::enable_shared_from_this<AuditStreamSession> {
 public:
  /// `place`: what is sent lies behind it. `wake` is called from any thread when there is something to take after
  /// take() gave nothing.
  AuditStreamSession(std::shared_ptr<AuditStreamHub> hub, AuditReader reader, AuditFilter filter, StoredPlace place,
                     AuditStreamLimits limits, std::function<void()> wake);
  ~AuditStreamSession();
  AuditStreamSession(const AuditStreamSession&) = delete;
  AuditStreamSession& operator=(const AuditStreamSession&) = delete;

  // ---- the reader ----
  /// Frames in their order, as many as have `bytes_max` together, one at least if there is any.
  std::vector<std::shared_ptr<const std::string>> take(std::size_t bytes_max);
  /// Reading failed: nothing comes behind what take() gives.
  bool has_failed() const;
  /// From now on; what waits already is sent.
  void set_filter(AuditFilter filter);
  /// The reader left. `wake` is not called any more once this returned, unless it is being called.
  void close();

  // ---- the hub ----
  const AuditReader& reader() const { return reader_; }
  /// Logs by rising place, all that there are behind the last ones.
  void offer(std::vector<AuditStreamLog>& logs);
  /// Reads a page of the store; then the hub takes over, or there is something to take, or it is scheduled again. One
  /// thread at a time.
  void catch_up();

 private:
  enum class State : std::uint8_t { catching_up, live, failed, closed };
  struct Dropped {
    std::uint64_t count = 0;
    std::string from, to;  ///< ids
  };
  std::shared_ptr<const AuditFilter> filter() const;
  void push_locked(AuditStreamLog& log, bool may_drop) DENDRO_REQUIRES(mutex_);
  bool has_room_locked(std::size_t frames, std::size_t bytes) const DENDRO_REQUIRES(mutex_);
  void append_locked(std::shared_ptr<const std::string> frame) DENDRO_REQUIRES(mutex_);
  void append_dropped_locked() DENDRO_REQUIRES(mutex_);
  /// What to call, without the lock, if the reader waits.
  std::function<void()> waker_locked() DENDRO_REQUIRES(mutex_);
  void take_page(StoredAuditLogs& stored);
  bool join();
  void fail(const Error& error);

  // Fixed after construction.
  const std::shared_ptr<AuditStreamHub> hub_;
  const AuditReader reader_;
  const AuditStreamLimits limits_;
  CancelToken cancel_;

  mutable Mutex mutex_;
  State state_ DENDRO_GUARDED_BY(mutex_) = State::catching_up;
  std::function<void()> wake_ DENDRO_GUARDED_BY(mutex_);
  std::shared_ptr<const AuditFilter> filter_ DENDRO_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<const std::string>> queue_ DENDRO_GUARDED_BY(mutex_);
  std::size_t queue_bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
  Dropped dropped_ DENDRO_GUARDED_BY(mutex_);
  bool reader_waits_ DENDRO_GUARDED_BY(mutex_) = true;
  bool is_working_ DENDRO_GUARDED_BY(mutex_) = true;  ///< catch_up runs, or is about to
  StoredPlace place_ DENDRO_GUARDED_BY(mutex_);       ///< everything up to it was looked at
};

}  // namespace dendro
