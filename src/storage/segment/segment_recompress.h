#pragma once

#include <functional>
#include <optional>

#include "storage/segment/segment.h"
#include "storage/segment/segment_file_writer.h"

namespace dendro {

/// Writes the row groups of `input` into `out`, their blocks packed anew with another zstd level. What the blocks hold,
/// the directory's statistics, the dictionary and the receive times stay as they are: nothing is decoded beyond
/// unpacking a block, and each packed one is unpacked again and compared before it is written. Memory: the packed
/// blocks of one row group and one plain block.
/// @param pause  called between blocks; an error ends the work with it. May be empty.
/// @param is_input_bad  set if an error is one of reading `input`.
/// Errors: corruption, io_error of the input; those of SegmentFileWriter; internal (a block does not come back).
Result<SegmentInfo> recompress_segment(const Segment& input, int zstd_level, SegmentFileWriter& out,
                                       const std::function<Status()>& pause, bool& is_input_bad);

}  // namespace dendro
