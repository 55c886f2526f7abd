#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/timestamp.h"
#include "record/limits.h"
#include "record/record_batch_builder.h"

namespace dendro {

/// Cuts a run of records into batches of at most kMaxBatchRecords records and kMaxBatchBytes encoded bytes. Not
/// thread-safe.
class BatchFiller {
 public:
  explicit BatchFiller(Timestamp receive_time) : receive_time_(receive_time), builder_(receive_time) {}

  /// The builder for one more record whose encoded size is at most `record_bytes_max`; begins a new batch if it would
  /// not fit.
  RecordBatchBuilder& builder_for(std::size_t record_bytes_max);
  /// Closes the batch at hand, if it holds any record.
  void flush();
  /// The oldest closed batch; null if there is none.
  std::shared_ptr<const RecordBatch> take_batch();
  /// Every closed batch, oldest first.
  std::vector<std::shared_ptr<const RecordBatch>> take_batches();
  bool has_batch() const { return next_ < closed_.size(); }
  /// Of the batch at hand.
  std::size_t records() const { return builder_.records(); }
  /// Of the batch at hand: 1, 2, ..
  std::uint64_t batch_number() const { return batch_number_; }
  Timestamp receive_time() const { return receive_time_; }

 private:
  Timestamp receive_time_;
  RecordBatchBuilder builder_;
  std::vector<std::shared_ptr<const RecordBatch>> closed_;
  std::uint64_t batch_number_ = 1;
  std::size_t next_ = 0;  ///< of closed_, the first not taken
};

}  // namespace dendro
