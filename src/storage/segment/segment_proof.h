#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/manifest_edit.h"
#include "storage/segment/row_group_encoder.h"

namespace dendro {

/// A row group as it is about to be written. Borrows everything.
struct EncodedRowGroup {
  const std::string& path;  ///< of the segment, for errors
  const SegmentInfo& info;  ///< of the segment
  const SegmentDictionaryBuilder& dictionary;
  const RowGroupEntry& entry;  ///< offsets count from the front of `stored`
  std::string_view stored;
};

/// Reads the row group as a query would, by way of encoded dictionary and directory entry, and compares every record
/// with the one it was made from: time, sequence, severity and its mark, shape, stream, each value (engine.md 2.5).
/// Statistics and the token filter are not looked at. Errors: internal (a record differs), or what reading it says.
Status prove_row_group(std::span<const SegmentRow> rows, const EncodedRowGroup& encoded, FileSystem& files);

}  // namespace dendro
