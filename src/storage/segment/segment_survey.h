#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "record/value.h"
#include "storage/segment/row_group.h"
#include "storage/segment/segment_file.h"
#include "storage/storage_fault.h"

namespace dendro {

/// Stored bytes of something; a block that several chunks share is divided by their plain bytes.
struct StoredBytes {
  double stored = 0;
  std::uint64_t plain = 0;
  void add(const BlockPlace& block, std::uint64_t chunk_bytes) {
    plain += chunk_bytes;
    if (block.plain_bytes > 0) {
      stored += static_cast<double>(block.stored_bytes) * static_cast<double>(chunk_bytes) / block.plain_bytes;
    }
  }
  StoredBytes& operator+=(const StoredBytes& other) {
    stored += other.stored;
    plain += other.plain;
    return *this;
  }
};

/// Modes of slots, by number (template_column.h).
inline constexpr std::size_t kSlotModeCount = 5;

/// One column over all row groups of a segment.
struct ColumnSurvey {
  std::string path;
  ValueType type = ValueType::null;
  std::array<std::uint32_t, 6> layouts{};  ///< row groups, by ColumnLayout
  std::uint32_t groups_in_filter = 0;
  std::uint64_t values = 0;
  StoredBytes bytes;  ///< of all its parts
  // Of layout templates.
  StoredBytes head, codes, pool, slot_chunks, whole;
  std::uint64_t templates = 0;        ///< in DICT
  std::uint64_t local_templates = 0;  ///< summed over row groups
  std::uint64_t whole_values = 0;
  std::array<std::uint64_t, kSlotModeCount> slots_by_mode{};  ///< summed over row groups
};

struct RowGroupSurvey {
  std::uint32_t records = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint32_t blocks = 0;
  std::uint64_t first_offset = 0;
  Timestamp min_timestamp, max_timestamp;
  SequenceNumber first_sequence, last_sequence;
};

/// What a segment file is made of, as far as it can be read.
struct SegmentSurvey {
  SegmentDescription file;  ///< as much as could be read; its info has the file's size
  bool has_meta = false;
  std::vector<RowGroupSurvey> row_groups;
  StoredBytes timestamps, sequences, severities, shapes, streams, filter;
  std::uint64_t shape_count = 0, stream_count = 0, template_count = 0;
  std::vector<ColumnSurvey> columns;  ///< by number
  std::vector<StorageFault> faults;
};

/// Errors: only those of opening and reading the file. Damage is in `faults`.
Result<SegmentSurvey> survey_segment(FileSystem& files, const std::string& path);

}  // namespace dendro
