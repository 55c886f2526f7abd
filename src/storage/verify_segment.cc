#include "storage/verify_segment.h"

#include "storage/segment/segment.h"
#include "storage/segment/segment_check.h"
#include "storage/segment/segment_file.h"

namespace dendro {

void verify_segment_file(FileSystem& files, const std::string& path, const Bytes16& store_id, const SegmentInfo& info,
                         VerifyReport& report) {
  const auto segment = Segment::open(files, path, store_id, info);
  SegmentDescription file;
  const Status described = describe_segment(files, path, file);
  if (segment->damage()) {
    // The file's own word names the place within it, where it can.
    report.faults.push_back(StorageFault::of(path, described ? *segment->damage() : described.error()));
    return;
  }
  ++report.segments;
  report.records += info.record_count;
  report.segment_bytes += info.file_bytes;
  report.raw_bytes += info.raw_bytes;
  if (described && file.meta.info != info) {
    report.faults.push_back({path, file.tail.footer_offset, "META and the manifest's entry differ"});
  }
  std::vector<StorageFault> faults = check_segment(*segment);
  report.faults.insert(report.faults.end(), std::make_move_iterator(faults.begin()),
                       std::make_move_iterator(faults.end()));
}

}  // namespace dendro
