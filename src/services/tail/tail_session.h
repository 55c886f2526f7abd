#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/worker_pool.h"
#include "services/tail/limits.h"
#include "services/tail/tail_feed.h"
#include "services/tail/tail_frame.h"
#include "services/tail/tail_pipeline.h"
#include "services/tail/tail_query.h"
#include "services/tail/tail_replay.h"
#include "storage/snapshot.h"

namespace dendro {

/// What tails work with; all of it outlives the hub.
struct TailParts {
  CommitListeners& listeners;
  /// What the tenant has stored now. Thread-safe, must not block for long.
  std::function<Result<std::shared_ptr<const Snapshot>>(const TenantId&)> snapshot_of;
  WorkerPool& workers;
  const Clock& clock;
  QueryLimits limits = {};                                      ///< of the queries behind tables
  std::shared_ptr<const LookupTables> lookup_tables = nullptr;  ///< null: `lookup` is refused
  std::shared_ptr<const GeoDatabase> geo_database = nullptr;    ///< null: `geoip` is refused
  /// What `$name` stands for to a tenant, when a tail begins. Null: such names are refused.
  std::function<std::shared_ptr<const SavedFilters>(const TenantId&)> saved_filters_of = nullptr;
};

struct TailOptions {
  std::size_t tails_per_tenant_max = kTailsPerTenant;
  std::size_t queue_bytes_max = kTailQueueBytes;
  std::size_t feed_bytes_max = kTailFeedBytes;
  std::uint64_t memory_bytes_max = kTailMemoryBytes;  ///< of all tails together
  ReplayLimits replay{kTailReplayRows, kTailReplayBytes};
  bool ticks_by_itself = true;  ///< false: a test calls TailHub::tick
};

/// One reader's tail. Rows wait in a bounded queue until the reader asks for the next frame; what does not fit is
/// counted and named as a gap, so a slow reader costs the others nothing. The same becomes of much that waits when all
/// tails together are short of memory. Thread-safe; held by shared_ptr.
///
/// States: following -> ended (end, a limit pipe, a fault; the `end` frame is the last one) ; any -> closed (the reader
/// left: nothing is called any more).
///
/// Invariants: T1 what is sent, in order, is: everything behind the first cursor that the query keeps, each record once
/// or inside exactly one gap. T2 one worker at a time builds frames; the members it alone touches are marked. T3 the
/// cursor of a frame covers all records of the frames before it, and no other.
class TailSession : public std::enable_shared_from_this<TailSession> {
 public:
  using FrameDone = std::function<void(TailFrame)>;

  TailSession(const TailParts& parts, const TailOptions& options, const TailRequest& request,
              std::shared_ptr<const TailQuery> query, std::shared_ptr<TailFeed> feed,
              std::shared_ptr<const TailMemory> memory);
  ~TailSession();
  TailSession(const TailSession&) = delete;
  TailSession& operator=(const TailSession&) = delete;

  // ---- the reader ----
  /// Asks for the next frame; `done` is called once, on a worker, when one is due. Not called again before that, nor
  /// behind an `end` frame.
  void next(FrameDone done);
  std::uint64_t epoch() const { return epoch_; }
  /// The reader left. `done` is not called any more once this returned, unless it is being called.
  void close();

  // ---- the hub and the feed ----
  /// Joins the feed and fixes where it begins: behind `since`, or at what is stored now. Blocks for a snapshot.
  /// Errors: resource_exhausted (too many tails), those of the snapshot.
  Status start(std::optional<SequenceNumber> since);
  /// Records up to `last` have been looked at, `block` has those that match, null if there are none.
  void offer(const std::shared_ptr<const RecordBlock>& block, SequenceNumber last);
  /// Records [first, last] did not come by and must be read from the store.
  void miss(SequenceNumber first, SequenceNumber last);
  /// Looks at the clock.
  void tick();
  /// Sends `end` next, whatever waits.
  void end(TailEnd reason);

 private:
  struct Item {
    enum class Kind : std::uint8_t { rows, gap, missed };
    Kind kind = Kind::rows;
    std::shared_ptr<const RecordBlock> block;
    std::size_t count = 0;        ///< rows: of the block's, from its first
    SequenceNumber from, to;      ///< behind `from`, up to and with `to`
    std::uint64_t gap_count = 0;  ///< gap
    TailGapReason reason = TailGapReason::rate;
    std::size_t bytes() const;
  };
  enum class Step : std::uint8_t { go_on, frame_is_full, nothing_left };

  /// What the reader may see, as it is now.
  Result<std::shared_ptr<const Snapshot>> snapshot() const;
  std::uint64_t queue_bytes_max() const;
  void push_locked(Item item) DENDRO_REQUIRES(mutex_);
  void give_up_rows_locked() DENDRO_REQUIRES(mutex_);
  void read_all_again_locked() DENDRO_REQUIRES(mutex_);
  void push_gap_locked(std::uint64_t count, SequenceNumber from, SequenceNumber to, TailGapReason reason)
      DENDRO_REQUIRES(mutex_);
  void offer_rows_locked(const std::shared_ptr<const RecordBlock>& block, SequenceNumber last) DENDRO_REQUIRES(mutex_);
  std::size_t allowed_rows_locked(std::size_t wanted) DENDRO_REQUIRES(mutex_);
  double rate_locked() const DENDRO_REQUIRES(mutex_);
  void turn_rate_windows_locked(std::chrono::nanoseconds now) DENDRO_REQUIRES(mutex_);
  bool is_due_locked() DENDRO_REQUIRES(mutex_);
  void start_work_locked() DENDRO_REQUIRES(mutex_);

  // The worker's (T2).
  void work();
  std::optional<TailFrame> make_frame();
  std::optional<TailFrame> make_rows();
  std::optional<TailFrame> make_table();
  std::optional<TailFrame> make_quiet();
  Step add_rows(TailFrame& frame);
  Step take_item(TailFrame& frame);
  std::optional<Item> pop_item(bool may_be_gap);
  Status take_rows(const Item& item);
  Status replay(const Item& item);
  TailFrame fail(const Error& error);
  TailFrame stamped(TailFrame frame) const;

  // Fixed after construction.
  const TailParts parts_;
  const TailOptions options_;
  const TenantId tenant_;
  const std::uint64_t epoch_;
  const std::uint64_t rows_per_s_max_;
  const std::shared_ptr<const TailQuery> query_;
  const std::shared_ptr<TailFeed> feed_;
  const std::shared_ptr<const TailMemory> memory_;
  CancelToken cancel_;

  mutable Mutex mutex_;
  std::deque<Item> queue_ DENDRO_GUARDED_BY(mutex_);
  std::size_t queue_bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::size_t queue_rows_ DENDRO_GUARDED_BY(mutex_) = 0;
  SequenceNumber through_ DENDRO_GUARDED_BY(mutex_);  ///< all up to it is in the queue, or was
  FrameDone done_ DENDRO_GUARDED_BY(mutex_);
  std::optional<TailEnd> end_ DENDRO_GUARDED_BY(mutex_);
  bool is_working_ DENDRO_GUARDED_BY(mutex_) = false;
  bool is_closed_ DENDRO_GUARDED_BY(mutex_) = false;
  bool has_more_ DENDRO_GUARDED_BY(mutex_) = true;  ///< the worker has something without waiting: hello, leftovers
  bool is_table_stale_ DENDRO_GUARDED_BY(mutex_) = true;  ///< of a table: records came since it was made
  std::chrono::nanoseconds last_frame_ DENDRO_GUARDED_BY(mutex_){0};
  std::chrono::nanoseconds window_start_ DENDRO_GUARDED_BY(mutex_){0};
  std::uint64_t window_matched_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t window_sent_ DENDRO_GUARDED_BY(mutex_) = 0;  ///< of window_matched_, not in a gap
  double last_rate_ DENDRO_GUARDED_BY(mutex_) = 0;

  // Of the worker at work.
  bool hello_sent_ = false;
  bool is_over_ = false;  ///< the pipes want no more
  SequenceNumber floor_;  ///< set by start(): records up to it come from the store, if at all
  SequenceNumber start_;  ///< set by start(): where the tail begins
  SequenceNumber cursor_;
  SequenceNumber item_to_;    ///< the cursor once all rows of the pipeline are sent
  std::deque<Item> backlog_;  ///< from a replay, before those of the queue
  std::unique_ptr<TailPipeline> pipeline_;
};

}  // namespace dendro
