#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "record/record_batch.h"
#include "record/record_id.h"

namespace dendro {

enum class ScanOrder : std::uint8_t { newest_first, oldest_first };

/// Some records of one batch and their sequence numbers: what a scan hands to operators.
struct RecordBlock {
  std::shared_ptr<const RecordBatch> batch;
  /// One a record of the batch; null: `first_sequence`, `first_sequence` + 1, ...
  std::shared_ptr<const std::vector<SequenceNumber>> sequences;
  SequenceNumber first_sequence;
  /// The records meant, as indices into the batch, in the scan's order.
  std::vector<std::uint32_t> rows;
  /// Receive times of the records, one a record of the batch, where the batch joins several requests; null: the batch's
  /// own.
  std::shared_ptr<const std::vector<Timestamp>> receive_times = nullptr;
  /// Of a reduced scan: how many records each of `rows` stands for, in its order; empty: each for itself.
  std::vector<std::uint32_t> weights = {};

  SequenceNumber sequence(std::uint32_t row) const {
    return sequences != nullptr ? (*sequences)[row] : first_sequence.next(row);
  }
  /// When the record's request came: its observed time unless the sender gave one.
  Timestamp receive_time(std::uint32_t row) const {
    return receive_times != nullptr ? (*receive_times)[row] : batch->receive_time();
  }
  RecordPosition position(std::uint32_t row) const { return {batch->timestamp(row), sequence(row)}; }
  RecordView record(std::uint32_t row) const { return batch->record(row); }
};

/// Blocks by falling newest record (newest_first) or rising oldest record (oldest_first); blocks overlap in time, so a
/// reader that wants the newest N keeps N and stops when the Nth beats `bound()`. Not thread-safe.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  /// The next block, `rows` never empty; nothing at the end. corruption: that part is left out, further calls go on
  /// with the rest. cancelled, deadline_exceeded, io_error: final.
  virtual Result<std::optional<RecordBlock>> next() = 0;
  /// newest_first: no later block holds a record newer than this. oldest_first: none older.
  virtual Timestamp bound() const = 0;
  /// Records and encoded bytes looked at so far, whether they matched or not.
  virtual std::uint64_t scanned_records() const = 0;
  virtual std::uint64_t scanned_bytes() const = 0;
};

}  // namespace dendro
