#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "storage/memtable.h"
#include "storage/segment/segment_writer.h"

namespace dendro {

/// A record of a memtable, by its place there.
struct MemtableRow {
  Timestamp timestamp;
  std::uint32_t entry = 0;
  std::uint32_t row = 0;  ///< (entry, row) rises with the sequence number
};

/// The records of one UTC day, by (timestamp, sequence).
struct DayOfRecords {
  Timestamp day;
  std::vector<MemtableRow> rows;
};

/// Every record of the memtable, days ascending.
std::vector<DayOfRecords> order_by_day(const MemtableView& memtable);

/// Writes a day into a segment, with the retry keys of the requests it holds records of. Errors: storage_full,
/// io_error.
Result<SegmentInfo> write_day_segment(const StorePaths& paths, FileSystem& files, const SegmentWriter::Place& place,
                                      const MemtableView& memtable, const DayOfRecords& day);

}  // namespace dendro
