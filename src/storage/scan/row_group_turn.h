#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "record/record_block.h"
#include "storage/scan/row_group_scan.h"
#include "storage/scan/row_reducer.h"
#include "storage/scan/segment_filter.h"
#include "storage/segment/piece_cache.h"
#include "storage/segment/segment.h"
#include "storage/snapshot.h"

namespace dendro {

/// What the row groups of one scan share, whichever thread is at work on them. Thread-safe; outlives its turns.
class RowGroupWork {
 public:
  /// @param reduces  whether ScanRequest::reduction may be made use of.
  RowGroupWork(ScanRequest request, std::shared_ptr<PieceCache> cache, bool reduces);

  const ScanRequest& request() const { return request_; }
  PieceCache& cache() const { return *cache_; }

  /// Filter and reducer remember what they learnt of a segment, so they are lent, one set to each thread.
  struct Tools {
    std::unique_ptr<SegmentFilter> filter;  ///< null: RecordFilter::select decides alone
    std::optional<RowReducer> reducer;
  };
  std::unique_ptr<Tools> borrow_tools();
  void give_back(std::unique_ptr<Tools> tools);

  /// All that is wanted of some row groups of a segment, where the directory knows it: nothing of them matches, or its
  /// counts are the answer.
  struct Told {
    std::vector<std::uint32_t> left;  ///< row groups that overlap the request and must be read, ascending
    std::vector<RecordBlock> blocks;  ///< counts of those that need not be (Reduction)
    std::uint64_t records = 0;        ///< of the row groups that need not be read
    std::uint64_t raw_bytes = 0;
  };
  Told ask_directory(const Segment& segment, const SegmentTables& tables);

 private:
  std::optional<ScanFate> fate_by_directory(RowGroupReader& reader, Tools& tools, DirectoryCounts& counts) const;

  // Fixed after construction.
  const ScanRequest request_;
  const std::shared_ptr<PieceCache> cache_;
  const bool reduces_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Tools>> idle_tools_ DENDRO_GUARDED_BY(mutex_);
};

// States of a step: idle -> running (by whoever claims it first) -> done -> idle (the scan took what came out).

/// One row group in a scan, worked off in steps: the first decides which records match, each further one decodes some
/// of them. A step can be made ahead by another thread; the scan takes the outcomes in order. Thread-safe as marked.
class RowGroupTurn {
 public:
  /// `work` outlives this. `tables`: of the segment.
  RowGroupTurn(RowGroupWork& work, std::shared_ptr<const Segment> segment, std::shared_ptr<const SegmentTables> tables,
               std::uint32_t row_group);

  /// Makes the next step unless another thread does or did. Any thread.
  void run_ahead();

  struct Outcome {
    Result<std::optional<RecordBlock>> block;
    std::optional<Timestamp> next_time;  ///< of the first record of the next step; nothing: this was the last
  };
  /// The next step's outcome: makes the step, or waits for who does. The scan's thread only.
  Outcome take();
  /// No step runs when this returns, and none will. Must be called before the work or what its request holds goes. The
  /// scan's thread only.
  void close();

  bool is_opened() const { return was_taken_; }
  /// Not once it is closed.
  const RowGroupEntry& entry() const { return tables_->row_groups[row_group_]; }

 private:
  enum class State : std::uint8_t { idle, running, done, closed };
  bool claim();
  Outcome make_step();

  RowGroupWork& work_;
  std::shared_ptr<const Segment> segment_;       ///< null once closed
  std::shared_ptr<const SegmentTables> tables_;  ///< of the segment; null once closed
  const std::uint32_t row_group_;
  std::unique_ptr<RowGroupScan> scan_;  ///< whose step it is; null before the first, and once closed
  bool was_taken_ = false;              ///< the scan's thread only
  Mutex mutex_;
  CondVar done_;
  State state_ DENDRO_GUARDED_BY(mutex_) = State::idle;
  std::optional<Outcome> outcome_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
