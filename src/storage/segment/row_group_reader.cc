#include "storage/segment/row_group_reader.h"

#include <algorithm>
#include <bit>
#include <numeric>

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
enum class ColumnPiece : std::uint8_t { data, rows, strings_of_times, slot_chunk, pool_block, whole, codes, leaves };

std::uint64_t piece_number(const ColumnEntry& column, ColumnPiece kind, std::size_t index = 0) {
  return (std::uint64_t{column.column} + 1) << 32 | static_cast<std::uint64_t>(kind) << 28 | index;
}

Error bad_piece(std::string_view what) {
  return Error(ErrorCode::corruption, std::string(what));
}

}  // namespace

std::optional<std::uint32_t> RowMap::value_of(std::uint32_t row, std::uint32_t from) const {
  if (is_identity) return row;
  // Doubling steps as long as they end before the record.
  std::size_t first = from;
  std::size_t step = 1;
  for (; first + step < rows.size() && rows[first + step] < row; step *= 2) first += step;
  const std::size_t last = std::min(first + step + 1, rows.size());
  const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(std::min(first, last));
  const auto found = std::lower_bound(begin, rows.begin() + static_cast<std::ptrdiff_t>(last), row);
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

Result<std::string> RowGroupReader::read_block(const BlockPlace& block, ColumnKind kind) {
  ReadTally::Kind& tally = tally_.of(kind);
  tally.stored_bytes += block.stored_bytes;
  tally.plain_bytes += block.plain_bytes;
  return segment_.read_block(block);
}

Result<std::string_view> RowGroupReader::chunk(const ChunkPlace& place, ColumnKind kind) {
  if (place.is_empty()) return std::string_view();
  const BlockPlace& block = entry_.blocks[place.block];
  if (block.plain_bytes > BlockPacker::kSharedBlockBytes) {
    // Large blocks hold one chunk, which will not be asked for again: its decoded form is cached.
    if (last_block_number_ != place.block) {
      last_block_number_ = 0xFFFFFFFF;
      DENDRO_TRY_ASSIGN(last_block_, read_block(block, kind));
      last_block_number_ = place.block;
    }
    return std::string_view(last_block_).substr(place.offset, place.bytes);
  }
  auto found = blocks_.find(place.block);
  if (found == blocks_.end()) {
    DENDRO_TRY_ASSIGN(std::string plain, read_block(block, kind));
    found = blocks_.emplace(place.block, std::move(plain)).first;
  }
  return std::string_view(found->second).substr(place.offset, place.bytes);
}

Error RowGroupReader::damage(const ColumnEntry* column, const Error& error) const {
  std::string place = "segment " + segment_.path() + ": row group " + std::to_string(index_);
  if (column != nullptr) place += ": column " + std::string(dictionary().columns()[column->column].path);
  return error.with_context(place);
}

Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::number_piece(ColumnKind kind,
                                                                                       std::uint64_t number,
                                                                                       const ChunkPlace& place,
                                                                                       std::size_t count) {
  return column_piece<NumberColumn<std::int64_t>>(kind, number, [&]() -> Result<NumberColumn<std::int64_t>> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(place, kind));
    NumberColumn<std::int64_t> column;
    const Status decoded = decode_integers(bytes, count, column.values);
    if (!decoded) return damage(nullptr, decoded.error());
    return column;
  });
}

Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::timestamps() {
  return number_piece(ColumnKind::timestamps, kTimestampsPiece, entry_.timestamps, entry_.record_count);
}
Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::sequences() {
  return number_piece(ColumnKind::sequences, kSequencesPiece, entry_.sequences, entry_.record_count);
}

Result<std::shared_ptr<const NumberColumn<std::uint8_t>>> RowGroupReader::severities() {
  return column_piece<NumberColumn<std::uint8_t>>(
      ColumnKind::severities, kSeveritiesPiece, [&]() -> Result<NumberColumn<std::uint8_t>> {
        DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(entry_.severities, ColumnKind::severities));
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

Result<std::shared_ptr<const IndexColumn>> RowGroupReader::index_piece(ColumnKind kind, std::uint64_t number,
                                                                       const ChunkPlace& place,
                                                                       std::size_t table_size) {
  return column_piece<IndexColumn>(kind, number, [&]() -> Result<IndexColumn> {
    DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(place, kind));
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
  return index_piece(ColumnKind::shapes, kShapesPiece, entry_.shapes, dictionary().shapes().size());
}
Result<std::shared_ptr<const IndexColumn>> RowGroupReader::streams() {
  return index_piece(ColumnKind::streams, kStreamsPiece, entry_.streams, dictionary().streams().size());
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
  return column_piece<StringValues>(
      ColumnKind::texts, piece_number(column, ColumnPiece::data), [&]() -> Result<StringValues> {
        DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(column.place, ColumnKind::texts));
        Result<StringValues> values = StringValues::decode(bytes, column.value_count, kMaxSegmentBlockPlainBytes);
        if (!values) return damage(&column, values.error());
        return values;
      });
}

Result<std::shared_ptr<const NumberColumn<std::int64_t>>> RowGroupReader::integers(const ColumnEntry& column) {
  return number_piece(ColumnKind::numbers, piece_number(column, ColumnPiece::data), column.place, column.value_count);
}

Result<std::shared_ptr<const NumberColumn<double>>> RowGroupReader::floats(const ColumnEntry& column) {
  return column_piece<NumberColumn<double>>(
      ColumnKind::numbers, piece_number(column, ColumnPiece::data), [&]() -> Result<NumberColumn<double>> {
        DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(column.place, ColumnKind::numbers));
        NumberColumn<double> numbers;
        const Status decoded = decode_floats(bytes, column.value_count, numbers.values);
        if (!decoded) return damage(&column, decoded.error());
        return numbers;
      });
}

Result<TimeColumn> RowGroupReader::load_times(const ColumnEntry& column) {
  DENDRO_TRY_ASSIGN(const auto own_times, timestamps());
  DENDRO_TRY_ASSIGN(const auto map, rows_of(column));
  DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(column.place, ColumnKind::times));
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
  return column_piece<TimeColumn>(ColumnKind::times, piece_number(column, ColumnPiece::data),
                                  [&] { return load_times(column); });
}

Result<std::shared_ptr<const ValueCodes>> RowGroupReader::value_codes(const ColumnEntry& column) {
  return piece<ValueCodes>(piece_number(column, ColumnPiece::codes), [&] { return load_value_codes(column); });
}

std::uint64_t RowGroupReader::leaf_codes_piece(const ColumnEntry& column) {
  return piece_number(column, ColumnPiece::leaves);
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
  return column_piece<TemplateColumn>(ColumnKind::templates, piece_number(column, ColumnPiece::data),
                                      [&]() -> Result<TemplateColumn> {
                                        Result<TemplateColumn> head = load_templates(column);
                                        if (!head && head.error().code() == ErrorCode::corruption)
                                          return damage(&column, head.error());
                                        return head;
                                      });
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::slot_chunk(const ColumnEntry& column,
                                                                       const TemplateColumn& head, std::size_t local,
                                                                       std::size_t slot) {
  const std::size_t index = head.locals[local].first_slot + slot;
  return column_piece<StringValues>(
      ColumnKind::variables, piece_number(column, ColumnPiece::slot_chunk, index), [&]() -> Result<StringValues> {
        DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(head.slots[index].chunk, ColumnKind::variables));
        Result<StringValues> values =
            StringValues::decode(bytes, head.locals[local].value_count, kMaxSegmentBlockPlainBytes);
        if (!values) return damage(&column, values.error());
        return values;
      });
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::pool_block(const ColumnEntry& column,
                                                                       const TemplateColumn& head, std::size_t block) {
  return column_piece<StringValues>(
      ColumnKind::variables, piece_number(column, ColumnPiece::pool_block, block), [&]() -> Result<StringValues> {
        DENDRO_TRY_ASSIGN(const std::string_view bytes, chunk(head.pool[block].place, ColumnKind::variables));
        Result<StringValues> values = StringValues::of_lines(std::string(bytes), head.pool[block].value_count);
        if (!values) return damage(&column, values.error());
        return values;
      });
}

Result<std::shared_ptr<const StringValues>> RowGroupReader::whole_values(const ColumnEntry& column,
                                                                         const TemplateColumn& head) {
  return column_piece<StringValues>(
      ColumnKind::variables, piece_number(column, ColumnPiece::whole), [&]() -> Result<StringValues> {
        DENDRO_TRY_ASSIGN(std::string_view bytes, chunk(head.whole, ColumnKind::variables));
        Result<StringValues> values = StringValues::decode(bytes, head.whole_count, kMaxSegmentBlockPlainBytes);
        if (!values) return damage(&column, values.error());
        return values;
      });
}

Result<std::shared_ptr<const TokenFilterPiece>> RowGroupReader::filter() {
  return column_piece<TokenFilterPiece>(ColumnKind::token_filter, kFilterPiece, [&]() -> Result<TokenFilterPiece> {
    DENDRO_TRY_ASSIGN(const std::string_view bytes, chunk(entry_.filter, ColumnKind::token_filter));
    auto kept = std::make_unique<const std::string>(bytes);
    const Result<FuseFilterView> view = FuseFilterView::parse(*kept);
    if (!view) return damage(nullptr, view.error());
    return TokenFilterPiece{std::move(kept), *view};
  });
}

}  // namespace dendro
