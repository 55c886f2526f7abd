#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "record/record_batch.h"

namespace dendro {

struct MemtableEntry;

/// Records of many small requests as one batch, so that a scan has one thing to look at instead of each. Immutable.
struct JoinedBatch {
  std::shared_ptr<const RecordBatch> batch;
  /// One a record, ascending.
  std::shared_ptr<const std::vector<SequenceNumber>> sequences;
  /// One a record: the batch's own is only that of the first request.
  std::shared_ptr<const std::vector<Timestamp>> receive_times;

  std::size_t memory_bytes() const;
};

/// The records of the entries, in order. Nothing: they are not so small that it would help. Pure.
std::unique_ptr<const JoinedBatch> join_batches(std::span<const MemtableEntry> entries);

}  // namespace dendro
