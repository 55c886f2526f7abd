#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "filter/record_filter.h"
#include "storage/scan/condition_scan.h"
#include "storage/scan/row_bitmap.h"
#include "storage/segment/row_group_reader.h"

namespace dendro {

/// A query's filter, asked of row groups instead of records (engine.md 4.1-4.5): what it can tell from columns,
/// templates and statistics is certain; what it cannot stays possible, for RecordFilter::select to decide. Not
/// thread-safe: one a scan.
class SegmentFilter {
 public:
  virtual ~SegmentFilter() = default;
  /// A verdict on each record of the row group. Errors: those of RowGroupReader.
  virtual Result<RowVerdict> select(RowGroupReader& reader) = 0;
  /// False: surely no record of the row group matches. Far cheaper than `select`: it reads the token filter at most.
  /// Errors: those of RowGroupReader.
  virtual Result<bool> may_match(RowGroupReader& reader) = 0;
  /// Without reading anything: a flag for each entry of RowGroupEntry::stream_counts, where a record's stream alone
  /// decides whether it matches; otherwise nothing.
  virtual std::optional<std::vector<std::uint8_t>> select_streams(const RowGroupReader& reader) = 0;
  /// Of a row group in which nothing matches: true if labels alone say so.
  virtual bool is_excluded_by_labels(const RowGroupReader& reader) = 0;
};

/// Null if the filter's meaning is not known. `filter` outlives it and is told which fields were met.
std::unique_ptr<SegmentFilter> make_segment_filter(const RecordFilter& filter);

/// Why a filter left nothing of the row group; by what the reader read where that is not told otherwise.
/// @param filter  null: there is none that could tell.
ScanFate fate_of_ruled_out(RowGroupReader& reader, SegmentFilter* filter);

}  // namespace dendro
