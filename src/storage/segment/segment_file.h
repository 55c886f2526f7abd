#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment/segment_format.h"

namespace dendro {

/// Header of a segment file, checked as far as it can be without knowing store and id.
struct SegmentHeader {
  Bytes16 store_id{};
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  SegmentId id;
  Timestamp day;
};
/// Errors: corruption; unimplemented (another major version).
Result<SegmentHeader> parse_segment_header(std::string_view bytes);

/// What a segment file says of itself, without a manifest.
struct SegmentDescription {
  SegmentHeader header;
  SegmentTail tail;
  std::vector<SectionEntry> sections;
  SegmentMeta meta;  ///< its info is complete: what Segment::open takes
};

/// Reads header, tail, footer and META. Errors: corruption (names section and offset), unimplemented, io_error, and
/// those of opening the file; `file` then holds what was read before.
Status describe_segment(FileSystem& files, const std::string& path, SegmentDescription& file);

}  // namespace dendro
