#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "filter/predicate.h"
#include "filter/record_filter.h"
#include "filter/stream_condition.h"
#include "storage/scan/condition_scan.h"
#include "storage/scan/row_bitmap.h"
#include "storage/segment/row_group_reader.h"

namespace dendro {

/// A flag for each entry of RowGroupEntry::stream_counts.
using StreamFlags = std::vector<std::uint8_t>;

/// One node of a SegmentFilter. Not thread-safe.
class ScanNode {
 public:
  virtual ~ScanNode() = default;
  /// A verdict on each record of the row group. Errors: those of RowGroupReader.
  virtual Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) = 0;
  /// From the directory alone: of which streams every record of the row group matches, where of all others none does.
  /// Nothing: that takes more than a record's stream.
  virtual std::optional<StreamFlags> select_streams(const RowGroupReader&) { return std::nullopt; }
  /// False: surely no record of the row group matches, by the directory and its token filter. Errors: those of
  /// RowGroupReader.
  virtual Result<bool> may_match(RowGroupReader&, FilterProbe&) { return true; }
  /// What its tests of labels say by themselves, as far as it has any: 0 where they rule a stream out. Otherwise
  /// nothing. To tell why a row group was left out.
  virtual std::optional<StreamFlags> label_flags(const RowGroupReader&) { return std::nullopt; }
  /// Rough cost; a conjunction asks the cheap ones first and stops when nothing is left.
  virtual int cost() const = 0;
};
using ScanNodePtr = std::unique_ptr<ScanNode>;

inline std::size_t rows_in(const RowGroupReader& reader) {
  return reader.entry().record_count;
}

inline StreamFlags flag_streams(const RowGroupReader& reader, bool value) {
  return StreamFlags(reader.entry().stream_counts.size(), value ? 1 : 0);
}
/// The records of the flagged streams; reads nothing where all or none are. Errors: those of RowGroupReader.
Result<RowVerdict> rows_of_streams(RowGroupReader& reader, const StreamFlags& flags);

// Column scans: what a column of the row group, or its statistics, tells by itself.
ScanNodePtr make_time_scan(TimeRange range);
ScanNodePtr make_severity_scan(const SeverityTest& test);
ScanNodePtr make_stream_scan(StreamConditionPtr condition);
/// A condition on a named field. `filter` outlives it and is told when records have the field.
ScanNodePtr make_field_scan(const FieldTest& test, const RecordFilter& filter);
/// A condition on `_template`. `filter` as above.
ScanNodePtr make_template_id_scan(const FieldTest& test, const RecordFilter& filter);
/// A condition without a field: any stored value.
ScanNodePtr make_any_value_scan(const FieldTest& test);

}  // namespace dendro
