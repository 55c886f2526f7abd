#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "filter/record_filter.h"
#include "record/record_block.h"
#include "storage/block_stats.h"
#include "storage/scan_profile.h"

namespace dendro {

/// What a reader will look at, and nothing else: records that agree in it may come as one with a weight
/// (RecordBlock::weights), in any order, without their other fields. A reader must be prepared for records that come by
/// themselves all the same.
struct Reduction {
  std::vector<std::string> fields;  ///< as the query names them
  /// Only which multiple of this many nanoseconds since 1970 a record's time is in matters; 0: the time does not.
  std::int64_t time_step_ns = 0;
  /// Among those that come for a combination of a row group are its oldest and its newest record, as themselves.
  bool keeps_extremes = false;
};

/// Sequence numbers [first, last), of records in the order of their acknowledgement.
struct SequenceRange {
  SequenceNumber first{0};
  SequenceNumber last{std::numeric_limits<std::uint64_t>::max()};
  bool contains(SequenceNumber sequence) const { return first <= sequence && sequence < last; }
  /// True if some number of [low, high], both ends inclusive, lies in it.
  bool overlaps(SequenceNumber low, SequenceNumber high) const { return first <= high && low < last; }
  bool covers(SequenceNumber low, SequenceNumber high) const { return first <= low && high < last; }
};

struct ScanRequest {
  TimeRange range;
  SequenceRange sequences = {};
  ScanOrder order = ScanOrder::newest_first;
  std::shared_ptr<const RecordFilter> filter;      ///< null: every record
  CancelToken cancel;                              ///< looked at between blocks
  std::optional<Reduction> reduction;              ///< nothing: every record, whole
  std::shared_ptr<ScanProfile> profile = nullptr;  ///< told what the scan does; null: nobody asked
};

/// What one tenant had stored, acknowledged, at one moment. Keeps its segments and batches alive. Immutable;
/// thread-safe.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual const TenantId& tenant() const = 0;
  /// Every record of the snapshot has a sequence number up to this.
  virtual SequenceNumber last_sequence() const = 0;
  /// The source may outlive this object's handle, it holds what it reads.
  virtual std::unique_ptr<BlockSource> scan(ScanRequest request) const = 0;
  /// What the row groups take that such a scan would read. Errors: unimplemented (it has none, or shows only a part of
  /// what is stored).
  virtual Result<std::unique_ptr<BlockStatsSource>> block_stats(ScanRequest) const {
    return Error(ErrorCode::unimplemented, "block_stats needs a store, and the right to see all of it");
  }
  /// The record at exactly this place: a block with one row, or nothing.
  virtual Result<std::optional<RecordBlock>> find(RecordPosition position) const = 0;
};

}  // namespace dendro
