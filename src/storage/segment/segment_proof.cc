#include "storage/segment/segment_proof.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "codec/prefetch_text.h"
#include "codec/short_bytes.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/template_values.h"

namespace dendro {
namespace {

/// Pieces of one row group, all of them; some are asked for by several columns.
constexpr std::size_t kProofCacheBytes = std::size_t{1} << 30;

class StoredReader final : public RandomReader {
 public:
  explicit StoredReader(std::string_view stored) : stored_(stored) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    return offset > stored_.size() ? 0 : stored_.copy(out.data(), out.size(), offset);
  }
  Result<std::uint64_t> size() override { return stored_.size(); }

 private:
  const std::string_view stored_;
};

bool is_same_value(const Value& a, const Value& b) {
  switch (a.type) {
    case ValueType::null:
    case ValueType::empty_object:
      return a.type == b.type;
    case ValueType::boolean:
      return a.type == b.type && a.boolean == b.boolean;
    case ValueType::int64:
    case ValueType::uint64:
      return a.type == b.type && a.natural == b.natural;
    case ValueType::float64:
      return a.type == b.type && std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
    case ValueType::time:
      return a.type == b.type && a.integer == b.integer && a.fraction_digits == b.fraction_digits;
    default:
      return a.type == b.type && a.text == b.text;
  }
}

bool is_same_shape(const Shape& a, const Shape& b) {
  return std::equal(a.leaves.begin(), a.leaves.end(), b.leaves.begin(), b.leaves.end(),
                    [](const Leaf& x, const Leaf& y) {
                      return x.role == y.role && x.type == y.type && x.path == y.path && x.key == y.key;
                    }) &&
         std::equal(a.ops.begin(), a.ops.end(), b.ops.begin(), b.ops.end(), [](const ShapeOp& x, const ShapeOp& y) {
           return x.kind == y.kind && x.leaf_index == y.leaf_index && x.key == y.key;
         });
}

bool is_same_stream(const Stream& a, const Stream& b) {
  return std::equal(
      a.labels.begin(), a.labels.end(), b.labels.begin(), b.labels.end(),
      [](const StreamLabel& x, const StreamLabel& y) { return x.path == y.path && is_same_value(x.value, y.value); });
}

/// Compares shapes or streams, each of the input once.
template <typename Part>
class SameParts {
 public:
  template <typename IsSame>
  bool holds(const Part& input, const Part& decoded, IsSame is_same) {
    const Part*& known = known_[&input];
    if (known == &decoded) return true;
    if (known != nullptr || !is_same(input, decoded)) return false;
    known = &decoded;
    return true;
  }

 private:
  std::unordered_map<const Part*, const Part*> known_;
};

/// Walks the decoded columns beside the records they were made from: since shapes agree record by record, the values of
/// a column come in order.
class RowGroupComparison {
 public:
  RowGroupComparison(std::span<const SegmentRow> rows, RowGroupReader& reader)
      : rows_(rows), reader_(reader), dictionary_(reader.dictionary()), columns_(dictionary_.columns().size()) {}

  Status run() {
    DENDRO_TRY(open());
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
      if (i + kPrefetchAhead < rows_.size()) prefetch(rows_[i + kPrefetchAhead]);
      DENDRO_TRY_ASSIGN(const Difference difference, difference_at(i));
      if (!difference.empty()) return differs("record " + std::to_string(i), difference);
    }
    for (const Column& column : columns_) {
      if (column.entry == nullptr || column.next == column.entry->value_count) continue;
      return differs("column " + std::string(dictionary_.columns()[column.entry->column].path), "count of values");
    }
    return {};
  }

 private:
  /// The name of the part that differs, or nothing.
  using Difference = std::string_view;

  struct Column {
    const ColumnEntry* entry = nullptr;
    std::shared_ptr<const StringValues> strings;
    std::shared_ptr<const NumberColumn<std::int64_t>> integers;
    std::shared_ptr<const NumberColumn<double>> floats;
    std::shared_ptr<const TimeColumn> times;
    std::unique_ptr<TemplateValues> templates;
    std::uint32_t next = 0;  ///< value
  };

  static Error differs(const std::string& where, Difference what) {
    return Error(ErrorCode::internal, where + ": another " + std::string(what));
  }
  static void prefetch(const SegmentRow& row) { prefetch_text(row.batch->record(row.row).value_bytes()); }

  Status open() {
    DENDRO_TRY_ASSIGN(timestamps_, reader_.timestamps());
    DENDRO_TRY_ASSIGN(sequences_, reader_.sequences());
    DENDRO_TRY_ASSIGN(severities_, reader_.severities());
    DENDRO_TRY_ASSIGN(row_shapes_, reader_.shapes());
    DENDRO_TRY_ASSIGN(row_streams_, reader_.streams());
    for (const ColumnEntry& entry : reader_.entry().columns) {
      columns_[entry.column].entry = &entry;
      DENDRO_TRY(open_column(columns_[entry.column]));
    }
    return {};
  }
  Status open_column(Column& column) {
    switch (column.entry->layout) {
      case ColumnLayout::templates: {
        DENDRO_TRY_ASSIGN(column.templates, TemplateValues::open(reader_, *column.entry));
        return {};
      }
      case ColumnLayout::strings:
      case ColumnLayout::time_texts: {
        DENDRO_TRY_ASSIGN(column.strings, reader_.strings(*column.entry));
        return {};
      }
      case ColumnLayout::integers: {
        DENDRO_TRY_ASSIGN(column.integers, reader_.integers(*column.entry));
        return {};
      }
      case ColumnLayout::floats: {
        DENDRO_TRY_ASSIGN(column.floats, reader_.floats(*column.entry));
        return {};
      }
      case ColumnLayout::times:
        break;
    }
    DENDRO_TRY_ASSIGN(column.times, reader_.times(*column.entry));
    return {};
  }

  Result<Difference> difference_at(std::uint32_t index) {
    const RecordView input = rows_[index].batch->record(rows_[index].row);
    if (static_cast<std::uint64_t>(sequences_->values[index]) != rows_[index].sequence.number()) {
      return Difference("sequence");
    }
    if (timestamps_->values[index] != input.timestamp().number()) return Difference("timestamp");
    const unsigned mark = input.severity_is_from_body() ? 0x80 : 0;
    if (severities_->values[index] != (input.severity() | mark)) return Difference("severity");
    const std::uint32_t shape = row_shapes_->table[row_shapes_->codes[index]];
    const std::uint32_t stream = row_streams_->table[row_streams_->codes[index]];
    if (!shapes_.holds(input.shape(), dictionary_.shapes()[shape], is_same_shape)) return Difference("shape");
    if (!streams_.holds(input.stream(), dictionary_.streams()[stream], is_same_stream)) return Difference("stream");
    DENDRO_TRY_ASSIGN(const bool is_same, has_same_values(input, shape));
    return Difference(is_same ? "" : "values");
  }

  Result<bool> has_same_values(const RecordView& input, std::uint32_t shape) {
    const char* at = input.value_bytes().data();
    const std::vector<Leaf>& leaves = input.shape().leaves;
    const std::vector<std::uint32_t>& columns = dictionary_.shape_columns(shape);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (columns[i] == kNoColumn) continue;
      const Value meant = batch_encoding::read_value(leaves[i].type, at, input.timestamp());
      Column& column = columns_[columns[i]];
      if (column.entry == nullptr || column.next == column.entry->value_count) return false;
      DENDRO_TRY_ASSIGN(const bool is_same, is_next_value(column, meant));
      if (!is_same) return false;
      ++column.next;
    }
    return true;
  }

  static Result<bool> is_next_value(Column& column, const Value& meant) {
    const std::uint32_t next = column.next;
    switch (column.entry->layout) {
      case ColumnLayout::templates:
        return column.templates->is_value(next, meant.text);
      case ColumnLayout::strings:
      case ColumnLayout::time_texts: {
        const std::string_view text = (*column.strings)[next];
        return text.size() == meant.text.size() && equal_bytes(text.data(), meant.text.data(), text.size());
      }
      case ColumnLayout::floats:
        return std::bit_cast<std::uint64_t>(column.floats->values[next]) == std::bit_cast<std::uint64_t>(meant.real);
      case ColumnLayout::times:
        return column.times->instants[next] == meant.integer && column.times->digits[next] == meant.fraction_digits;
      case ColumnLayout::integers:
        break;
    }
    const std::int64_t number = column.integers->values[next];
    return meant.type == ValueType::boolean ? number == (meant.boolean ? 1 : 0) : number == meant.integer;
  }

  const std::span<const SegmentRow> rows_;
  RowGroupReader& reader_;
  const SegmentDictionary& dictionary_;
  std::shared_ptr<const NumberColumn<std::int64_t>> timestamps_, sequences_;
  std::shared_ptr<const NumberColumn<std::uint8_t>> severities_;
  std::shared_ptr<const IndexColumn> row_shapes_, row_streams_;
  std::vector<Column> columns_;  ///< by number; those without values have no entry
  SameParts<Shape> shapes_;
  SameParts<Stream> streams_;
};

}  // namespace

Status prove_row_group(std::span<const SegmentRow> rows, const EncodedRowGroup& encoded, FileSystem& files) {
  SegmentTables tables;
  DENDRO_TRY_ASSIGN(tables.dictionary, SegmentDictionary::parse(encoded.dictionary.encode()));
  std::string entry;
  append_row_group(entry, encoded.entry);
  ByteReader entry_reader(entry);
  if (!read_row_group(entry_reader, tables.row_groups.emplace_back()) || !entry_reader.at_end() ||
      !fits_dictionary(tables.row_groups.front(), *tables.dictionary) ||
      tables.row_groups.front().record_count != rows.size()) {
    return Error(ErrorCode::internal, "the directory entry of a row group cannot be read");
  }
  const auto segment =
      Segment::of_blocks(files, encoded.path, encoded.info, std::make_unique<StoredReader>(encoded.stored));
  PieceCache cache(kProofCacheBytes);
  RowGroupReader reader(*segment, tables, 0, cache);
  return RowGroupComparison(rows, reader).run();
}

}  // namespace dendro
