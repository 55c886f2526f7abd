#include "storage/segment/row_group_reader.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/checksum.h"
#include "codec/code_column.h"
#include "codec/float_column.h"
#include "codec/integer_column.h"
#include "record/limits.h"
#include "storage/limits.h"

namespace dendro {
namespace {

// Numbers of the pieces of a row group; those of a column carry its number above bit 32.
constexpr std::uint64_t kTimestampsPiece = 1;
constexpr std::uint64_t kSequencesPiece = 2;
constexpr std::uint64_t kSeveritiesPiece = 3;
constexpr std::uint64_t kShapesPiece = 4;
constexpr std::uint64_t kStreamsPiece = 5;
constexpr std::uint64_t kFilterPiece = 6;
enum class ColumnPiece : std::uint8_t { data, rows, strings_of_times, slot_chunk, pool_block, whole, codes };

std::uint64_t piece_number(const ColumnEntry& column, ColumnPiece kind, std::size_t index = 0) {
  return (std::uint64_t{column.column} + 1) << 32 | static_cast<std::uint64_t>(kind) << 28 | index;
}

Error bad_piece(std::string_view what) {
  return Error(ErrorCode::corruption, std::string(what));
}

bool read_chunk_place(ByteReader& reader, const std::vector<BlockPlace>& blocks, ChunkPlace& place) {
  const std::uint64_t block = reader.read_varint();
  const std::uint64_t offset = reader.read_varint();
  const std::uint64_t bytes = reader.read_varint();
  if (!reader.ok()) return false;
  if (bytes != 0 &&
      (block >= blocks.size() || offset > blocks[block].plain_bytes || bytes > blocks[block].plain_bytes - offset)) {
    return false;
  }
  place = {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes)};
  return true;
}

}  // namespace

std::optional<std::uint32_t> RowMap::value_of(std::uint32_t row) const {
  if (is_identity) return row;
  const auto found = std::lower_bound(rows.begin(), rows.end(), row);
  if (found == rows.end() || *found != row) return std::nullopt;
  return static_cast<std::uint32_t>(found - rows.begin());
}

std::size_t TemplateColumn::memory_bytes() const {
  return locals.capacity() * sizeof(Local) + slots.capacity() * sizeof(Slot) + pool.capacity() * sizeof(PoolBlock) +
         (codes.capacity() + grouped.capacity() + ranks.capacity()) * 2;
}

RowGroupReader::RowGroupReader(const Segment& segment, const SegmentTables& tables, std::uint32_t index,
                               PieceCache& cache)
    : segment_(segment), tables_(tables), index_(index), entry_(tables.row_groups[index]), cache_(cache) {}

Result<std::string_view> RowGroupReader::chunk(const ChunkPlace& place) {
  if (place.is_empty()) return std::string_view();
  const BlockPlace& block = entry_.blocks[place.block];
  if (block.plain_bytes > BlockPacker::kSharedBlockBytes) {
    // Large blocks hold one chunk, which will not be asked for again: its decoded form is cached.
    if (last_block_number_ != place.block) {
      last_block_number_ = 0xFFFFFFFF;
      DENDRO_TRY_ASSIGN(last_block_, segment_.read_block(block));
      last_block_number_ = place.block;
    }
    return std::string_view(last_block_).substr(place.offset, place.bytes);
  }
  auto found = blocks_.find(place.block);
  if (found == blocks_.end()) {
    DENDRO_TRY_ASSIGN(std::string plain, segment_.read_block(block));
    found = blocks_.emplace(place.block, std::move(plain)).first;
  }
  return std::string_view(found->second).substr(place.offset, place.bytes);
}

Error RowGroupReader::damage(const ColumnEntry* column, const Error& error) const {
  std::string place = "segment " + segment_.path() + ": row group " + std::to_string(index_);
  if (column != nullptr) place += ": column " + std::string(dictionary().columns()[column->column].path);
  return error.with_context(place);
}

Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::number_piece(std::uint64_t number,
                                                                                       const ChunkPlace& place,
                                                                                       std::size_t count) {
  return piece<NumberColumn<std::int64_t>>(number, [&]() -> Result<NumberColumn<std::int64_t>> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(place));
    NumberColumn<std::int64_t> column;
    const Status decoded = decode_integers(bytes, count, column.values);
    if (!decoded) return damage(nullptr, decoded.error());
    return column;
  });
}

Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::timestamps() {
  return number_piece(kTimestampsPiece, entry_.timestamps, entry_.record_count);
}
Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::sequences() {
  return number_piece(kSequencesPiece, entry_.sequences, entry_.record_count);
}

Result<std::shared_ptr<const NumberColumn<std::uint8_t>>> RowGroupReader::severities() {
  return piece<NumberColumn<std::uint8_t>>(kSeveritiesPiece, [&]() -> Result<NumberColumn<std::uint8_t>> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(entry_.severities));
    std::vector<std::int64_t> numbers;
    const Status decoded = decode_integers(bytes, entry_.record_count, numbers);
    if (!decoded) return damage(nullptr, decoded.error());
    NumberColumn<std::uint8_t> column;
    column.values.reserve(numbers.size());
    for (const std::int64_t number : numbers) {
      if (number < 0 || number > 255 || (number & 0x7F) > kSeverityMax)
        return damage(nullptr, bad_piece("no severity"));
      column.values.push_back(static_cast<std::uint8_t>(number));
    }
    return column;
  });
}

Result<std::shared_ptr<const IndexColumn>> RowGroupReader::index_piece(std::uint64_t number, const ChunkPlace& place,
                                                                       std::size_t table_size) {
  return piece<IndexColumn>(number, [&]() -> Result<IndexColumn> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(place));
    ByteReader reader(bytes);
    const std::uint64_t count = reader.read_varint();
    if (count > entry_.record_count) return damage(nullptr, bad_piece("index column: more indices than records"));
    IndexColumn column;
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
      const std::uint64_t index = reader.read_varint();
      if (index >= table_size) return damage(nullptr, bad_piece("index column: index outside its table"));
      column.table.push_back(static_cast<std::uint32_t>(index));
    }
    if (!reader.ok()) return damage(nullptr, bad_piece("index column: cut off"));
    bytes.remove_prefix(bytes.size() - reader.remaining());
    const Status decoded = decode_codes(bytes, entry_.record_count, column.table.size(), column.codes);
    if (!decoded) return damage(nullptr, decoded.error());
    return column;
  });
}

Result<std::shared_ptr<const IndexColumn>> RowGroupReader::shapes() {
  return index_piece(kShapesPiece, entry_.shapes, dictionary().shapes().size());
}
Result<std::shared_ptr<const IndexColumn>> RowGroupReader::streams() {
  return index_piece(kStreamsPiece, entry_.streams, dictionary().streams().size());
}

Result<RowMap> RowGroupReader::load_rows(const ColumnEntry& column) {
  DENDRO_TRY_ASSIGN(const auto row_shapes, shapes());
  std::vector<std::size_t> counts;  // of the column's values, a local shape
  bool is_identity = true;
  for (const std::uint32_t shape : row_shapes->table) {
    const std::vector<std::uint32_t>& columns = dictionary().shape_columns(shape);
    const auto count = static_cast<std::size_t>(std::count(columns.begin(), columns.end(), column.column));
    counts.push_back(count);
    is_identity = is_identity && count == 1;
  }
  std::size_t values = 0;
  for (const std::uint16_t code : row_shapes->codes) values += counts[code];
  if (values != column.value_count) return damage(&column, bad_piece("another count of values than its shapes have"));
  RowMap map;
  map.is_identity = is_identity;
  if (is_identity) return map;
  map.rows.resize(values + 1);  // every row is written once, those without a value under the next one
  std::size_t at = 0;
  for (std::size_t row = 0; row < row_shapes->codes.size(); ++row) {
    const std::size_t count = counts[row_shapes->codes[row]];
    map.rows[at] = static_cast<std::uint16_t>(row);
    for (std::size_t i = 1; i < count; ++i) map.rows[at + i] = static_cast<std::uint16_t>(row);
    at += count;
  }
  map.rows.resize(values);
  return map;
}

Result<std::shared_ptr<const RowMap>> RowGroupReader::rows_of(const ColumnEntry& column) {
  return piece<RowMap>(piece_number(column, ColumnPiece::rows), [&] { return load_rows(column); });
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::strings(const ColumnEntry& column) {
  if (column.layout == ColumnLayout::time_texts) {
    return piece<StringValues>(piece_number(column, ColumnPiece::strings_of_times),
                               [&] { return load_time_texts(column); });
  }
  return piece<StringValues>(piece_number(column, ColumnPiece::data), [&]() -> Result<StringValues> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(column.place));
    Result<StringValues> values = StringValues::decode(bytes, column.value_count, kMaxSegmentBlockPlainBytes);
    if (!values) return damage(&column, values.error());
    return values;
  });
}

Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::integers(const ColumnEntry& column) {
  return number_piece(piece_number(column, ColumnPiece::data), column.place, column.value_count);
}

Result<std::shared_ptr<const NumberColumn<double>>> RowGroupReader::floats(const ColumnEntry& column) {
  return piece<NumberColumn<double>>(piece_number(column, ColumnPiece::data), [&]() -> Result<NumberColumn<double>> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(column.place));
    NumberColumn<double> numbers;
    const Status decoded = decode_floats(bytes, column.value_count, numbers.values);
    if (!decoded) return damage(&column, decoded.error());
    return numbers;
  });
}

Result<TimeColumn> RowGroupReader::load_times(const ColumnEntry& column) {
  DENDRO_TRY_ASSIGN(const auto own_times, timestamps());
  DENDRO_TRY_ASSIGN(const auto map, rows_of(column));
  DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(column.place));
  std::vector<std::int64_t> digits;
  TimeColumn times;
  Status decoded = decode_integers(bytes, column.value_count, digits);
  if (decoded) decoded = decode_integers(bytes, column.value_count, times.instants);
  if (!decoded) return damage(&column, decoded.error());
  times.digits.reserve(digits.size());
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] < 0 || digits[i] > 9) return damage(&column, bad_piece("no count of digits"));
    times.digits.push_back(static_cast<std::uint8_t>(digits[i]));
    times.instants[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(times.instants[i]) +
                                                  static_cast<std::uint64_t>(own_times->values[map->row_of(i)]));
  }
  return times;
}

Result<std::shared_ptr<const TimeColumn>> RowGroupReader::times(const ColumnEntry& column) {
  return piece<TimeColumn>(piece_number(column, ColumnPiece::data), [&] { return load_times(column); });
}

namespace {

/// Numbers values by a hash of each and an equality; open addressing.
template <typename Hash, typename Equal>
ValueCodes number_values(std::size_t count, Hash&& hash_of, Equal&& are_equal) {
  ValueCodes numbered;
  numbered.codes.resize(count);
  const std::size_t slots = std::bit_ceil(count * 2 + 1);
  constexpr std::uint32_t kFree = 0xFFFFFFFF;
  std::vector<std::uint32_t> table(slots, kFree);  // the first value of each kind
  for (std::uint32_t value = 0; value < count; ++value) {
    if (value > 0 && are_equal(value, value - 1)) {
      numbered.codes[value] = numbered.codes[value - 1];
      continue;
    }
    std::size_t at = hash_of(value) & (slots - 1);
    while (table[at] != kFree && !are_equal(table[at], value)) at = (at + 1) & (slots - 1);
    if (table[at] == kFree) {
      table[at] = value;
      numbered.codes[value] = static_cast<std::uint16_t>(numbered.count++);
    } else {
      numbered.codes[value] = numbered.codes[table[at]];
    }
  }
  return numbered;
}

std::uint64_t mixed(std::uint64_t bits) {
  bits *= 0x9E3779B97F4A7C15u;
  return bits ^ bits >> 32;
}

}  // namespace

Result<ValueCodes> RowGroupReader::load_value_codes(const ColumnEntry& column) {
  switch (column.layout) {
    case ColumnLayout::integers: {
      DENDRO_TRY_ASSIGN(const auto numbers, integers(column));
      const std::vector<std::int64_t>& all = numbers->values;
      return number_values(
          all.size(), [&](std::uint32_t i) { return mixed(static_cast<std::uint64_t>(all[i])); },
          [&](std::uint32_t a, std::uint32_t b) { return all[a] == all[b]; });
    }
    case ColumnLayout::floats: {
      DENDRO_TRY_ASSIGN(const auto numbers, floats(column));
      const auto bits = [&](std::uint32_t i) { return std::bit_cast<std::uint64_t>(numbers->values[i]); };
      return number_values(
          numbers->values.size(), [&](std::uint32_t i) { return mixed(bits(i)); },
          [&](std::uint32_t a, std::uint32_t b) { return bits(a) == bits(b); });
    }
    default:
      break;
  }
  DENDRO_TRY_ASSIGN(const auto texts, strings(column));
  ValueCodes known;
  if (texts->is_constant() || texts->has_codes()) {
    known.codes.assign(texts->codes().begin(), texts->codes().end());
    known.codes.resize(texts->size(), 0);
    known.count = static_cast<std::uint32_t>(texts->entry_count());
    return known;
  }
  return number_values(
      texts->size(), [&](std::uint32_t i) { return xxh3((*texts)[i], HashSeed(0)); },
      [&](std::uint32_t a, std::uint32_t b) { return (*texts)[a] == (*texts)[b]; });
}

Result<std::shared_ptr<const ValueCodes>> RowGroupReader::value_codes(const ColumnEntry& column) {
  return piece<ValueCodes>(piece_number(column, ColumnPiece::codes), [&] { return load_value_codes(column); });
}

Result<StringValues> RowGroupReader::load_time_texts(const ColumnEntry& column) {
  DENDRO_TRY_ASSIGN(const auto instants, times(column));
  std::string text;
  for (std::size_t i = 0; i < instants->instants.size(); ++i) {
    append_rfc3339(text, Timestamp(instants->instants[i]), instants->digits[i]);
    text.push_back('\n');
  }
  return StringValues::of_lines(std::move(text), instants->instants.size());
}

Result<std::shared_ptr<const TemplateColumn>> RowGroupReader::templates(const ColumnEntry& column) {
  return piece<TemplateColumn>(piece_number(column, ColumnPiece::data), [&]() -> Result<TemplateColumn> {
    Result<TemplateColumn> head = load_templates(column);
    if (!head && head.error().code() == ErrorCode::corruption) return damage(&column, head.error());
    return head;
  });
}

namespace {

/// Reads the head of a template column; every index it holds is checked, so that readers need not.
class HeadReader {
 public:
  HeadReader(std::string_view bytes, const RowGroupEntry& entry, const SegmentDictionary& dictionary,
             const ColumnEntry& column)
      : reader_(bytes), entry_(entry), dictionary_(dictionary), column_(column) {}

  Status read(TemplateColumn& head, ChunkPlace& codes) {
    if (!read_chunk_place(reader_, entry_.blocks, codes) || !read_chunk_place(reader_, entry_.blocks, head.whole)) {
      return bad_piece("head: bad place");
    }
    DENDRO_TRY(read_references(head));
    DENDRO_TRY(read_pool(head));
    DENDRO_TRY(read_locals(head));
    for (TemplateColumn::Local& local : head.locals) DENDRO_TRY(read_slots(head, local));
    if (!reader_.ok() || !reader_.at_end()) return bad_piece("head: wrong size");
    if (pool_next_ != pool_size_) return bad_piece("head: the pool has another count of values");
    return {};
  }

 private:
  Status read_references(TemplateColumn& head) {
    const std::uint64_t count = reader_.read_varint();
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      const std::uint64_t number = reader_.read_varint();
      const ColumnEntry* other = number > 0xFFFFFFFF ? nullptr : entry_.find_column(static_cast<std::uint32_t>(number));
      if (other == nullptr || other == &column_ || other->layout == ColumnLayout::templates ||
          !is_string_column(dictionary_.columns()[other->column].type)) {
        return bad_piece("head: refers to a column that cannot be referred to");
      }
      head.references.push_back(static_cast<std::uint32_t>(number));
    }
    return {};
  }

  Status read_pool(TemplateColumn& head) {
    const std::uint64_t count = reader_.read_varint();
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      TemplateColumn::PoolBlock block;
      if (!read_chunk_place(reader_, entry_.blocks, block.place)) return bad_piece("head: bad place of a pool block");
      block.first_value = static_cast<std::uint32_t>(pool_size_);
      const std::uint64_t values = reader_.read_varint();
      if (values > block.place.bytes) return bad_piece("head: a pool block with more values than bytes");
      block.value_count = static_cast<std::uint32_t>(values);
      pool_size_ += values;
      head.pool.push_back(block);
    }
    if (pool_size_ > 0xFFFFFFFF) return bad_piece("head: impossible pool");
    return {};
  }

  Status read_locals(TemplateColumn& head) {
    const ColumnTemplates& known = dictionary_.templates(column_.column);
    const std::uint64_t count = reader_.read_varint();
    std::uint64_t values = 0;
    std::uint64_t slots = 0;
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      TemplateColumn::Local local;
      const std::uint64_t number = reader_.read_varint();
      const std::uint64_t value_count = reader_.read_varint();
      if (number >= known.templates.size() || value_count == 0 || value_count > column_.value_count) {
        return bad_piece("head: unknown template");
      }
      local.number = static_cast<std::uint32_t>(number);
      local.value_count = static_cast<std::uint32_t>(value_count);
      local.first_value = static_cast<std::uint32_t>(values);
      local.first_slot = static_cast<std::uint32_t>(slots);
      local.slot_count = known.templates[number].slot_count;
      values += value_count;
      slots += local.slot_count;
      if (number == TemplateTable::kWhole) {
        if (head.whole_count != 0) return bad_piece("head: whole values twice");
        head.whole_count = local.value_count;
      }
      head.locals.push_back(local);
    }
    if (values != column_.value_count || slots > reader_.remaining()) return bad_piece("head: counts do not add up");
    head.slots.reserve(slots);
    return {};
  }

  Status read_slots(TemplateColumn& head, const TemplateColumn::Local& local) {
    for (std::uint32_t index = 0; index < local.slot_count; ++index) {
      TemplateColumn::Slot slot;
      slot.mode = static_cast<SlotMode>(reader_.read_le<std::uint8_t>());
      switch (slot.mode) {
        case SlotMode::pool:
        case SlotMode::constant:
          slot.target = static_cast<std::uint32_t>(pool_next_);
          pool_next_ += slot.mode == SlotMode::pool ? local.value_count : 1;
          if (pool_next_ > pool_size_) return bad_piece("head: a slot beyond the pool");
          break;
        case SlotMode::chunk:
          if (!read_chunk_place(reader_, entry_.blocks, slot.chunk)) return bad_piece("head: bad place of a slot");
          break;
        case SlotMode::slot: {
          const std::uint64_t distance = reader_.read_varint();
          if (distance == 0 || distance > index) return bad_piece("head: a slot refers to a later one");
          slot.target = index - static_cast<std::uint32_t>(distance);
          break;
        }
        case SlotMode::column: {
          const std::uint64_t reference = reader_.read_varint();
          if (reference >= head.references.size()) return bad_piece("head: unknown reference");
          slot.target = static_cast<std::uint32_t>(reference);
          break;
        }
        default:
          return bad_piece("head: unknown mode of a slot");
      }
      head.slots.push_back(slot);
    }
    return {};
  }

  ByteReader reader_;
  const RowGroupEntry& entry_;
  const SegmentDictionary& dictionary_;
  const ColumnEntry& column_;
  std::uint64_t pool_size_ = 0;
  std::uint64_t pool_next_ = 0;
};

Status group_values(TemplateColumn& head) {
  std::vector<std::uint32_t> next;
  for (const TemplateColumn::Local& local : head.locals) next.push_back(local.first_value);
  head.grouped.resize(head.codes.size());
  head.ranks.resize(head.codes.size());
  for (std::size_t value = 0; value < head.codes.size(); ++value) {
    const TemplateColumn::Local& local = head.locals[head.codes[value]];
    const std::uint32_t place = next[head.codes[value]]++;
    if (place >= local.first_value + local.value_count) return bad_piece("codes: another count than the head says");
    head.grouped[place] = static_cast<std::uint16_t>(value);
    head.ranks[value] = static_cast<std::uint16_t>(place - local.first_value);
  }
  return {};
}

}  // namespace

Result<TemplateColumn> RowGroupReader::load_templates(const ColumnEntry& column) {
  TemplateColumn head;
  {
    DENDRO_TRY_ASSIGN(const std::string_view bytes, chunk(column.place));
    DENDRO_TRY(HeadReader(bytes, entry_, dictionary(), column).read(head, head.codes_place));
  }
  DENDRO_TRY_ASSIGN(std::string_view codes, chunk(head.codes_place));
  DENDRO_TRY(decode_codes(codes, column.value_count, head.locals.size(), head.codes));
  DENDRO_TRY(group_values(head));
  return head;
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::slot_chunk(const ColumnEntry& column,
                                                                       const TemplateColumn& head, std::size_t local,
                                                                       std::size_t slot) {
  const std::size_t index = head.locals[local].first_slot + slot;
  return piece<StringValues>(piece_number(column, ColumnPiece::slot_chunk, index), [&]() -> Result<StringValues> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(head.slots[index].chunk));
    Result<StringValues> values =
        StringValues::decode(bytes, head.locals[local].value_count, kMaxSegmentBlockPlainBytes);
    if (!values) return damage(&column, values.error());
    return values;
  });
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::pool_block(const ColumnEntry& column,
                                                                       const TemplateColumn& head, std::size_t block) {
  return piece<StringValues>(piece_number(column, ColumnPiece::pool_block, block), [&]() -> Result<StringValues> {
    DENDRO_TRY_ASSIGN(const std::string_view bytes, chunk(head.pool[block].place));
    Result<StringValues> values = StringValues::of_lines(std::string(bytes), head.pool[block].value_count);
    if (!values) return damage(&column, values.error());
    return values;
  });
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::whole_values(const ColumnEntry& column,
                                                                         const TemplateColumn& head) {
  return piece<StringValues>(piece_number(column, ColumnPiece::whole), [&]() -> Result<StringValues> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(head.whole));
    Result<StringValues> values = StringValues::decode(bytes, head.whole_count, kMaxSegmentBlockPlainBytes);
    if (!values) return damage(&column, values.error());
    return values;
  });
}

Result<std::shared_ptr<const TokenFilterPiece>> RowGroupReader::filter() {
  return piece<TokenFilterPiece>(kFilterPiece, [&]() -> Result<TokenFilterPiece> {
    DENDRO_TRY_ASSIGN(const std::string_view bytes, chunk(entry_.filter));
    auto kept = std::make_unique<const std::string>(bytes);
    const Result<FuseFilterView> view = FuseFilterView::parse(*kept);
    if (!view) return damage(nullptr, view.error());
    return TokenFilterPiece{std::move(kept), *view};
  });
}

}  // namespace dendro
