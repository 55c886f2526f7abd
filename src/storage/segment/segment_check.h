#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "io/file_system.h"
#include "storage/segment/segment.h"
#include "storage/storage_fault.h"

namespace dendro {

/// Reads all of a segment: every block's checksum, every record, every number that a query may rely on instead of
/// reading (DIRECTORY's statistics, the slots' summaries in DICT, the token filter) made again and compared.
///
/// @param on_records  told after each row group how many records it held; may be empty.
std::vector<StorageFault> check_segment(const Segment& segment,
                                        const std::function<void(std::uint64_t)>& on_records = {});

}  // namespace dendro
