#include "storage/segment/record_decoder.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace dendro {

Status RecordDecoder::open() {
  if (is_open_) return {};
  DENDRO_TRY_ASSIGN(timestamps_, reader_.timestamps());
  DENDRO_TRY_ASSIGN(sequences_, reader_.sequences());
  DENDRO_TRY_ASSIGN(severities_, reader_.severities());
  DENDRO_TRY_ASSIGN(shapes_, reader_.shapes());
  DENDRO_TRY_ASSIGN(streams_, reader_.streams());
  columns_.resize(reader_.dictionary().columns().size());
  is_open_ = true;
  return {};
}

Status RecordDecoder::open_column(Column& column) {
  DENDRO_TRY_ASSIGN(column.rows, reader_.rows_of(*column.entry));
  switch (column.entry->layout) {
    case ColumnLayout::strings:
    case ColumnLayout::time_texts: {
      DENDRO_TRY_ASSIGN(column.strings, reader_.strings(*column.entry));
      return {};
    }
    case ColumnLayout::templates: {
      DENDRO_TRY_ASSIGN(column.templates, TemplateValues::open(reader_, *column.entry));
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

Result<RecordDecoder::Column*> RecordDecoder::column_at(std::uint32_t number) {
  std::unique_ptr<Column>& column = columns_[number];
  if (column == nullptr) {
    auto opened = std::make_unique<Column>();
    opened->entry = reader_.entry().find_column(number);
    opened->type = reader_.dictionary().columns()[number].type;
    if (opened->entry == nullptr) {
      return Error(ErrorCode::corruption, "segment " + reader_.segment().path() + ": a column of a shape is missing");
    }
    DENDRO_TRY(open_column(*opened));
    column = std::move(opened);
  }
  return column.get();
}

Result<Value> RecordDecoder::value_of(Column& column, std::uint32_t value) {
  if (column.strings != nullptr || column.templates != nullptr) {
    Value text;
    text.type = column.type;
    if (column.strings != nullptr) {
      text.text = (*column.strings)[value];
    } else {
      scratch_.clear();
      DENDRO_TRY(column.templates->append_value(value, scratch_));
      text.text = scratch_;
    }
    return text;
  }
  if (column.floats != nullptr) return Value::of_float64(column.floats->values[value]);
  if (column.times != nullptr) {
    return Value::of_time(Timestamp(column.times->instants[value]), column.times->digits[value]);
  }
  const std::int64_t number = column.integers->values[value];
  switch (column.type) {
    case ValueType::uint64:
      return Value::of_uint64(std::bit_cast<std::uint64_t>(number));
    case ValueType::boolean:
      return Value::of_bool(number != 0);
    default:
      return Value::of_int64(number);
  }
}

Status RecordDecoder::add_leaf(const KeptLeaf& leaf, std::uint32_t row) {
  if (leaf.column == kNoColumn) {
    Value nothing;
    nothing.type = leaf.type;
    if (leaf.is_stored) builder_.add_value(leaf.role, nothing);
    return {};
  }
  DENDRO_TRY_ASSIGN(const Value value, value_at(leaf.column, row));
  builder_.add_value(leaf.role, value);
  return {};
}

Status RecordDecoder::begin() {
  DENDRO_TRY(open());
  for (const std::unique_ptr<Column>& column : columns_) {
    if (column != nullptr) column->next_row = column->next_value = 0;
  }
  return {};
}

RecordDecoder::Row RecordDecoder::row_at(std::uint32_t row) const {
  const std::uint8_t severity = severities_->values[row];
  return {
      Timestamp(timestamps_->values[row]),          SequenceNumber(static_cast<std::uint64_t>(sequences_->values[row])),
      static_cast<SeverityNumber>(severity & 0x7F), (severity & 0x80) != 0,
      shapes_->table[shapes_->codes[row]],          streams_->table[streams_->codes[row]]};
}

Result<Value> RecordDecoder::value_at(std::uint32_t number, std::uint32_t row) {
  DENDRO_TRY_ASSIGN(Column* const column, column_at(number));
  // A path that stands twice in a record has its values one behind the other.
  const bool is_again = column->next_row == row + 1;
  if (!is_again) {
    if (!column->is_next(row)) {
      const std::optional<std::uint32_t> first = column->rows->value_of(row, column->next_value);
      if (!first) return Error(ErrorCode::corruption, "segment " + reader_.segment().path() + ": a value is missing");
      column->next_value = *first;
    }
    column->next_row = row + 1;
  }
  return value_of(*column, column->next_value++);
}

bool RecordDecoder::keeps(std::uint32_t column) const {
  return !kept_columns_ || column == kNoColumn ||
         std::find(kept_columns_->begin(), kept_columns_->end(), column) != kept_columns_->end();
}

void RecordDecoder::open_shape(std::uint16_t local, std::uint32_t shape) {
  const Shape& whole = reader_.dictionary().shapes()[shape];
  const std::vector<std::uint32_t>& columns = reader_.dictionary().shape_columns(shape);
  Shape kept;
  std::vector<KeptLeaf>& leaves = kept_leaves_[local];
  leaves.clear();
  for (ShapeOp op : whole.ops) {
    if (op.kind == ShapeOp::Kind::leaf) {
      const std::uint32_t column = columns[op.leaf_index];
      if (!keeps(column)) continue;
      const Leaf& leaf = whole.leaves[op.leaf_index];
      op.leaf_index = static_cast<std::uint32_t>(kept.leaves.size());
      kept.leaves.push_back(leaf);
      leaves.push_back({leaf.role, leaf.type, leaf.is_stored(), column});
    }
    kept.ops.push_back(op);
  }
  shape_numbers_[local] = builder_.add_shape(kept);
}

Status RecordDecoder::add_record(std::uint32_t row) {
  const Row own = row_at(row);
  const std::uint16_t shape = shapes_->codes[row];
  if (shape_numbers_[shape] < 0) open_shape(shape, own.shape);
  std::int64_t& stream_number = stream_numbers_[streams_->codes[row]];
  if (stream_number < 0) stream_number = builder_.add_stream(reader_.dictionary().streams()[own.stream]);

  builder_.begin_formed(own.timestamp, own.severity, own.severity_is_from_body);
  for (const KeptLeaf& leaf : kept_leaves_[shape]) DENDRO_TRY(add_leaf(leaf, row));
  builder_.end_formed(static_cast<std::uint32_t>(shape_numbers_[shape]), static_cast<std::uint32_t>(stream_number));
  return {};
}

std::shared_ptr<const std::vector<Timestamp>> RecordDecoder::receive_times_of(
    const std::vector<SequenceNumber>& sequences) const {
  auto receive_times = std::make_shared<std::vector<Timestamp>>();
  receive_times->reserve(sequences.size());
  for (const SequenceNumber sequence : sequences) receive_times->push_back(reader_.receive_time(sequence));
  return receive_times;
}

Result<RecordBlock> RecordDecoder::decode(std::span<const std::uint32_t> rows) {
  DENDRO_TRY(begin());
  builder_ = RecordBatchBuilder(
      reader_.receive_time(SequenceNumber(static_cast<std::uint64_t>(sequences_->values[rows.front()]))));
  shape_numbers_.assign(shapes_->table.size(), -1);
  stream_numbers_.assign(streams_->table.size(), -1);
  kept_leaves_.resize(shapes_->table.size());
  auto sequences = std::make_shared<std::vector<SequenceNumber>>();
  sequences->reserve(rows.size());
  for (const std::uint32_t row : rows) {
    DENDRO_TRY(add_record(row));
    sequences->emplace_back(static_cast<std::uint64_t>(sequences_->values[row]));
  }
  RecordBlock block;
  DENDRO_TRY_ASSIGN(block.batch, builder_.finish_formed());
  if (!kept_columns_) block.receive_times = receive_times_of(*sequences);
  block.sequences = std::move(sequences);
  block.rows.resize(rows.size());
  std::iota(block.rows.begin(), block.rows.end(), 0u);
  return block;
}

}  // namespace dendro
