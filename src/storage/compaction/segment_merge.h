#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "storage/tombstone.h"

namespace dendro {

/// What a merge made.
struct MergedSegment {
  std::optional<SegmentInfo> info;    ///< nothing: every record was deleted, there is no file
  std::uint64_t deleted_records = 0;  ///< taken out by tombstones
};

struct MergeRequest {
  std::vector<std::shared_ptr<const Segment>> inputs;  ///< of one tenant and day, undamaged as far as is known
  SegmentWriter::Place place;
  std::shared_ptr<const TombstoneList> tombstones;  ///< null: none; records that they take are left out
  Timestamp now;                                    ///< of the wall clock: retry keys out of their window are left out
  std::chrono::nanoseconds batch_key_window{};
  /// Called between slices of some thousand records; an error ends the merge with it. May be empty.
  std::function<Status()> pause;
};

/// Writes the records of the inputs, by (timestamp, sequence), into one new segment: complete, synced and named, not
/// yet listed. Receive times and retry keys move along. On failure nothing is left behind. A lone input of which
/// nothing is deleted is only packed anew (segment_recompress.h).
///
/// Memory: of each input whose next row group begins before the others' end (all `inputs` at worst, one or two where
/// they follow each other in time) the decoded columns of one row group and one slice, each at most kRowGroupBytes and
/// one record; of the output the slices of one row group, its dictionary and its template tables
/// (kTemplateTableBytesMax a column); 24 bytes a request for receive times.
/// @param unreadable  the input that is to blame for an error, if one is.
Result<MergedSegment> merge_segments(const StorePaths& paths, FileSystem& files, const MergeRequest& request,
                                     std::optional<SegmentId>& unreadable);

}  // namespace dendro
