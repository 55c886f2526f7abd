#include "storage/segment/row_group.h"

#include <algorithm>

#include "codec/string_column.h"
#include "record/limits.h"
#include "record/severity.h"
#include "storage/limits.h"
#include "storage/segment/segment_dictionary.h"

namespace dendro {
namespace {

void append_signed(std::string& out, std::int64_t number) {
  append_varint(out, zigzag_encode(number));
}
std::int64_t read_signed(ByteReader& reader) {
  return zigzag_decode(reader.read_varint());
}
std::uint32_t read_u32(ByteReader& reader) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(reader.read_varint(), 0xFFFFFFFF));
}

ChunkPlace read_place(ByteReader& reader) {
  ChunkPlace place;
  place.block = read_u32(reader);
  place.offset = read_u32(reader);
  place.bytes = read_u32(reader);
  return place;
}

void append_counts(std::string& out, const std::vector<IndexCount>& counts) {
  append_varint(out, counts.size());
  for (const IndexCount& count : counts) {
    append_varint(out, count.index);
    append_varint(out, count.count);
  }
}
void read_counts(ByteReader& reader, std::vector<IndexCount>& counts) {
  const std::uint64_t size = reader.read_varint();
  for (std::uint64_t i = 0; i < size && reader.ok(); ++i) {
    const std::uint32_t index = read_u32(reader);
    counts.push_back({index, read_u32(reader)});
  }
}

void append_column(std::string& out, const ColumnEntry& column) {
  append_varint(out, column.column);
  out.push_back(static_cast<char>(column.layout));
  out.push_back(column.is_in_filter ? 1 : 0);
  append_varint(out, column.value_count);
  append_chunk_place(out, column.place);
  out.push_back(static_cast<char>(column.summary.classes));
  append_varint(out, column.summary.max_bytes);
  append_signed(out, column.min);
  append_signed(out, column.max);
}
void read_column(ByteReader& reader, ColumnEntry& column) {
  column.column = read_u32(reader);
  column.layout = static_cast<ColumnLayout>(reader.read_le<std::uint8_t>());
  column.is_in_filter = reader.read_le<std::uint8_t>() != 0;
  column.value_count = read_u32(reader);
  column.place = read_place(reader);
  column.summary.classes = reader.read_le<ByteClasses>();
  column.summary.max_bytes = read_u32(reader);
  column.min = read_signed(reader);
  column.max = read_signed(reader);
}

bool is_inside(const ChunkPlace& place, const std::vector<BlockPlace>& blocks) {
  if (place.is_empty()) return true;
  return place.block < blocks.size() && place.offset <= blocks[place.block].plain_bytes &&
         place.bytes <= blocks[place.block].plain_bytes - place.offset;
}

bool are_columns_sound(const RowGroupEntry& group) {
  const auto inside = [&group](const ChunkPlace& place) { return is_inside(place, group.blocks); };
  for (const ChunkPlace* place :
       {&group.timestamps, &group.sequences, &group.severities, &group.shapes, &group.streams, &group.filter}) {
    if (!inside(*place)) return false;
  }
  std::uint64_t last = 0;
  for (const ColumnEntry& column : group.columns) {
    if (!inside(column.place) || column.layout > ColumnLayout::time_texts || column.column < last) return false;
    if (column.value_count == 0 || column.value_count > kMaxColumnValues) return false;
    last = std::uint64_t{column.column} + 1;
  }
  return true;
}

}  // namespace

const ColumnEntry* RowGroupEntry::find_column(std::uint32_t column) const {
  const auto found =
      std::lower_bound(columns.begin(), columns.end(), column,
                       [](const ColumnEntry& entry, std::uint32_t number) { return entry.column < number; });
  return found != columns.end() && found->column == column ? &*found : nullptr;
}

void append_chunk_place(std::string& out, const ChunkPlace& place) {
  append_varint(out, place.block);
  append_varint(out, place.offset);
  append_varint(out, place.bytes);
}

void append_row_group(std::string& out, const RowGroupEntry& group) {
  append_varint(out, group.record_count);
  append_varint(out, group.raw_bytes);
  append_signed(out, group.min_timestamp.number());
  append_signed(out, group.max_timestamp.number());
  append_varint(out, group.first_sequence.number());
  append_varint(out, group.last_sequence.number());
  append_varint(out, group.blocks.size());
  if (!group.blocks.empty()) append_varint(out, group.blocks.front().offset);  // the others follow one another
  for (const BlockPlace& block : group.blocks) {
    append_varint(out, block.stored_bytes);
    append_varint(out, block.plain_bytes);
    out.push_back(static_cast<char>(block.codec));
    append_le(out, block.hash);
  }
  for (const ChunkPlace* place :
       {&group.timestamps, &group.sequences, &group.severities, &group.shapes, &group.streams, &group.filter}) {
    append_chunk_place(out, *place);
  }
  append_varint(out, group.columns.size());
  for (const ColumnEntry& column : group.columns) append_column(out, column);
  append_varint(out, group.minute_counts.size());
  std::int64_t minute = 0;
  for (const MinuteCount& count : group.minute_counts) {
    append_signed(out, count.minute - minute);
    out.push_back(static_cast<char>(count.severity));
    append_varint(out, count.count);
    minute = count.minute;
  }
  append_counts(out, group.shape_counts);
  append_counts(out, group.stream_counts);
}

bool read_row_group(ByteReader& reader, RowGroupEntry& group) {
  group.record_count = read_u32(reader);
  group.raw_bytes = reader.read_varint();
  group.min_timestamp = Timestamp(read_signed(reader));
  group.max_timestamp = Timestamp(read_signed(reader));
  group.first_sequence = SequenceNumber(reader.read_varint());
  group.last_sequence = SequenceNumber(reader.read_varint());
  if (!reader.ok() || group.record_count == 0 || group.record_count > kMaxBatchRecords) return false;
  const std::uint64_t blocks = reader.read_varint();
  std::uint64_t offset = blocks > 0 ? reader.read_varint() : 0;
  for (std::uint64_t i = 0; i < blocks && reader.ok(); ++i) {
    BlockPlace block;
    block.offset = offset;
    block.stored_bytes = read_u32(reader);
    block.plain_bytes = read_u32(reader);
    block.codec = static_cast<BlockCodec>(reader.read_le<std::uint8_t>());
    block.hash = reader.read_le<std::uint64_t>();
    if (block.plain_bytes > kMaxSegmentBlockPlainBytes) return false;
    offset += block.stored_bytes;
    group.blocks.push_back(block);
  }
  for (ChunkPlace* place :
       {&group.timestamps, &group.sequences, &group.severities, &group.shapes, &group.streams, &group.filter}) {
    *place = read_place(reader);
  }
  const std::uint64_t columns = reader.read_varint();
  for (std::uint64_t i = 0; i < columns && reader.ok(); ++i) read_column(reader, group.columns.emplace_back());
  const std::uint64_t minutes = reader.read_varint();
  std::int64_t minute = 0;
  for (std::uint64_t i = 0; i < minutes && reader.ok(); ++i) {
    MinuteCount count;
    count.minute = minute += read_signed(reader);
    count.severity = reader.read_le<std::uint8_t>();
    count.count = read_u32(reader);
    if (count.severity > kSeverityMax) return false;
    group.minute_counts.push_back(count);
  }
  read_counts(reader, group.shape_counts);
  read_counts(reader, group.stream_counts);
  return reader.ok() && are_columns_sound(group);
}

namespace {

bool suits_type(ColumnLayout layout, ValueType type) {
  switch (layout) {
    case ColumnLayout::strings:
    case ColumnLayout::time_texts:
      return is_string_column(type);
    case ColumnLayout::templates:
      return type == ValueType::text;
    case ColumnLayout::integers:
      return type == ValueType::int64 || type == ValueType::uint64 || type == ValueType::boolean;
    case ColumnLayout::floats:
      return type == ValueType::float64;
    case ColumnLayout::times:
      break;
  }
  return type == ValueType::time;
}

}  // namespace

bool fits_dictionary(const RowGroupEntry& group, const SegmentDictionary& dictionary) {
  const auto is_below = [](const std::vector<IndexCount>& counts, std::size_t size) {
    return std::all_of(counts.begin(), counts.end(), [size](const IndexCount& count) { return count.index < size; });
  };
  const std::vector<ColumnName>& columns = dictionary.columns();
  return is_below(group.shape_counts, dictionary.shapes().size()) &&
         is_below(group.stream_counts, dictionary.streams().size()) &&
         std::all_of(group.columns.begin(), group.columns.end(), [&columns](const ColumnEntry& entry) {
           return entry.column < columns.size() && suits_type(entry.layout, columns[entry.column].type);
         });
}

}  // namespace dendro
