#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/timestamp.h"
#include "codec/block_codec.h"
#include "storage/segment/template_table.h"

namespace dendro {

class SegmentDictionary;

/// A compressed, checksummed unit of a segment file.
struct BlockPlace {
  std::uint64_t offset = 0;  ///< in the file
  std::uint32_t stored_bytes = 0;
  std::uint32_t plain_bytes = 0;
  BlockCodec codec = BlockCodec::none;
  std::uint64_t hash = 0;  ///< of the stored bytes, seeded with the segment's id
};

/// Bytes within the plain form of one block.
struct ChunkPlace {
  std::uint32_t block = 0;  ///< of the row group
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
  bool is_empty() const { return bytes == 0; }
};

/// How a column of a row group is stored. Numbers are on disk.
enum class ColumnLayout : std::uint8_t {
  strings = 0,     ///< one chunk of string_column.h
  templates = 1,   ///< template_column.h
  integers = 2,    ///< one chunk of integer_column.h; uint64 as the int64 of the same bits, booleans as 0 and 1
  floats = 3,      ///< one chunk of float_column.h
  times = 4,       ///< fraction digits, then instants less the record's own time: two runs of integer_column.h
  time_texts = 5,  ///< the same of texts that are canonical RFC 3339
};

/// A column's entry in the directory: where it is, and what decides that it need not be read.
struct ColumnEntry {
  std::uint32_t column = 0;  ///< of the segment's dictionary
  ColumnLayout layout = ColumnLayout::strings;
  bool is_in_filter = false;  ///< the tokens of its values, or of its slots, are among the filter's keys
  std::uint32_t value_count = 0;
  ChunkPlace place;
  SlotSummary summary;   ///< of all values; layouts strings and time_texts only
  std::int64_t min = 0;  ///< integers; times and time_texts: of the instants
  std::int64_t max = 0;
};

/// Records of one minute (of UTC, since 1970) and severity.
struct MinuteCount {
  std::int64_t minute = 0;
  std::uint8_t severity = 0;
  std::uint32_t count = 0;
};
struct IndexCount {
  std::uint32_t index = 0;
  std::uint32_t count = 0;
};

/// A row group's entry in the directory: records that are encoded and pruned together, by (timestamp, sequence).
struct RowGroupEntry {
  std::uint32_t record_count = 0;
  std::uint64_t raw_bytes = 0;  ///< of the records' values as they stand in a batch
  Timestamp min_timestamp, max_timestamp;
  SequenceNumber first_sequence, last_sequence;  ///< smallest and largest
  std::vector<BlockPlace> blocks;
  ChunkPlace timestamps, sequences, severities, shapes, streams, filter;
  std::vector<ColumnEntry> columns;  ///< by rising column number
  // What is known without reading anything.
  std::vector<MinuteCount> minute_counts;
  std::vector<IndexCount> shape_counts, stream_counts;

  const ColumnEntry* find_column(std::uint32_t column) const;
};

void append_chunk_place(std::string& out, const ChunkPlace& place);
void append_row_group(std::string& out, const RowGroupEntry& group);
/// False if the bytes are not a row group's entry. Every place is checked to lie inside its block.
bool read_row_group(ByteReader& reader, RowGroupEntry& group);
/// True if each number of the entry stands in the dictionary and each column's layout suits its type: readers rely on
/// it.
bool fits_dictionary(const RowGroupEntry& group, const SegmentDictionary& dictionary);

}  // namespace dendro
