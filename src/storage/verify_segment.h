#pragma once

#include <string>

#include "io/file_system.h"
#include "storage/manifest_edit.h"
#include "storage/verify.h"

namespace dendro {

/// Reads a listed segment from the disk, whole: against its entry, and each of its records and statistics. Adds to the
/// figures and faults of the report.
void verify_segment_file(FileSystem& files, const std::string& path, const Bytes16& store_id, const SegmentInfo& info,
                         VerifyReport& report);

}  // namespace dendro
