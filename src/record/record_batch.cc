#include "record/record_batch.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "record/batch_layout.h"

namespace dendro {
namespace {

Error batch_damage(const std::string& what) {
  return Error(ErrorCode::corruption, "record batch: " + what);
}

std::uint64_t read_unchecked_varint(const char*& at) {
  std::uint64_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return number;
  }
}

/// True if a value of `type` stands at the front of `reader`; takes it.
bool skip_checked_value(ValueType type, ByteReader& reader) {
  switch (type) {
    case ValueType::null:
    case ValueType::empty_object:
      return true;
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      reader.read_sized();
      return reader.ok();
    case ValueType::int64:
    case ValueType::uint64:
      reader.read_varint();
      return reader.ok();
    case ValueType::float64:
      reader.read_le<double>();
      return reader.ok();
    case ValueType::boolean:
      return reader.read_le<std::uint8_t>() <= 1 && reader.ok();
    case ValueType::time: {
      const auto head = reader.read_le<std::uint8_t>();
      if ((head & batch_layout::kTimeHasInstant) != 0) reader.read_le<std::int64_t>();
      return (head & 0x7F) <= 9 && reader.ok();
    }
  }
  return false;
}

/// Cuts `bytes` at `ends` (count ends, each u32, ascending, the last one the size of `bytes`).
Result<std::vector<std::string_view>> cut_table(std::string_view ends, std::string_view bytes, const char* table) {
  std::vector<std::string_view> rows;
  const std::size_t count = ends.size() / sizeof(std::uint32_t);
  rows.reserve(count);
  std::size_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t last = load_le<std::uint32_t>(ends.data() + i * sizeof(std::uint32_t));
    if (last < first || last > bytes.size())
      return batch_damage(std::string(table) + " table: row " + std::to_string(i) + " ends outside");
    rows.push_back(bytes.substr(first, last - first));
    first = last;
  }
  if (first != bytes.size()) return batch_damage(std::string(table) + " table: bytes behind the last row");
  return rows;
}

/// Takes padded sections from the front of an encoded batch.
class SectionCutter {
 public:
  explicit SectionCutter(std::string_view rest) : rest_(rest) {}
  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size() || batch_layout::padded(bytes) > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view section = rest_.substr(0, bytes);
    rest_.remove_prefix(batch_layout::padded(bytes));
    return section;
  }
  bool is_spent() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<ShapeOp::Kind> parse_op_kind(std::uint8_t kind) {
  return kind <= 2 ? std::optional<ShapeOp::Kind>(static_cast<ShapeOp::Kind>(kind)) : std::nullopt;
}

Result<Shape> parse_shape(std::string_view bytes, const std::vector<std::string_view>& strings) {
  Shape shape;
  ByteReader reader(bytes);
  int depth = 0;
  const auto read_string = [&](std::string_view& out) {
    const std::uint64_t index = reader.read_varint();
    if (!reader.ok() || index >= strings.size()) return false;
    out = strings[index];
    return true;
  };
  while (!reader.at_end()) {
    const auto kind = parse_op_kind(reader.read_le<std::uint8_t>());
    if (!kind) return batch_damage("shape: unknown step");
    ShapeOp op;
    op.kind = *kind;
    if (*kind == ShapeOp::Kind::leaf) {
      Leaf leaf;
      const auto role = reader.read_le<std::uint8_t>();
      const auto type = reader.read_le<std::uint8_t>();
      if (role >= kLeafRoleCount || type >= kValueTypeCount || !read_string(leaf.path) || !read_string(leaf.key)) {
        return batch_damage("shape: bad leaf");
      }
      leaf.role = static_cast<LeafRole>(role);
      leaf.type = static_cast<ValueType>(type);
      op.leaf_index = static_cast<std::uint32_t>(shape.leaves.size());
      shape.leaves.push_back(leaf);
    } else if (*kind == ShapeOp::Kind::open) {
      if (!read_string(op.key)) return batch_damage("shape: bad object name");
      ++depth;
    } else if (--depth < 0) {
      return batch_damage("shape: closes what it never opened");
    }
    shape.ops.push_back(op);
  }
  if (depth != 0 || !reader.ok()) return batch_damage("shape: an object is never closed");
  return shape;
}

/// True if every resource leaf finds its value.
bool has_labels_of(const Stream& stream, const Shape& shape) {
  return std::all_of(shape.leaves.begin(), shape.leaves.end(),
                     [&stream](const Leaf& leaf) { return leaf.is_stored() || stream.find(leaf.path) != nullptr; });
}

}  // namespace

namespace batch_encoding {

Value read_value(ValueType type, const char*& at, Timestamp instant) {
  const auto read_text = [&at] {
    const std::uint64_t size = read_unchecked_varint(at);
    const std::string_view text(at, size);
    at += size;
    return text;
  };
  Value value;
  value.type = type;
  switch (type) {
    case ValueType::null:
    case ValueType::empty_object:
      break;
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      value.text = read_text();
      break;
    case ValueType::int64:
      value.integer = zigzag_decode(read_unchecked_varint(at));
      break;
    case ValueType::uint64:
      value.natural = read_unchecked_varint(at);
      break;
    case ValueType::float64:
      value.real = load_le<double>(at);
      at += sizeof(double);
      break;
    case ValueType::boolean:
      value.boolean = *at++ != 0;
      break;
    case ValueType::time: {
      const auto head = static_cast<std::uint8_t>(*at++);
      value.fraction_digits = head & 0x7F;
      value.integer = instant.number();
      if ((head & batch_layout::kTimeHasInstant) != 0) {
        value.integer = load_le<std::int64_t>(at);
        at += sizeof(std::int64_t);
      }
      break;
    }
  }
  return value;
}

}  // namespace batch_encoding

namespace {

std::uint64_t next_batch_serial() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

RecordBatch::RecordBatch() : serial_(next_batch_serial()) {}

Result<std::shared_ptr<const RecordBatch>> RecordBatch::decode(std::string encoded) {
  std::shared_ptr<RecordBatch> batch(new RecordBatch());
  batch->encoded_ = std::move(encoded);
  DENDRO_TRY(batch->parse());
  DENDRO_TRY(batch->check_records());
  return std::shared_ptr<const RecordBatch>(std::move(batch));
}

std::shared_ptr<const RecordBatch> RecordBatch::reopen(std::string encoded) {
  std::shared_ptr<RecordBatch> batch(new RecordBatch());
  batch->encoded_ = std::move(encoded);
  DENDRO_CHECK(batch->parse().has_value());
  return batch;
}

Status RecordBatch::parse() {
  namespace layout = batch_layout;
  if (encoded_.size() < layout::kHeaderBytes) {
    return batch_damage("need " + std::to_string(layout::kHeaderBytes) + " bytes, have " +
                        std::to_string(encoded_.size()));
  }
  const char* head = encoded_.data();
  const auto u32_at = [head](std::size_t offset) { return load_le<std::uint32_t>(head + offset); };
  const auto version = u32_at(layout::kVersionOffset);
  if (version != layout::kVersion) return batch_damage("version " + std::to_string(version) + " is not known");
  const std::uint64_t count = u32_at(layout::kRecordCountOffset);
  if (count == 0) return batch_damage("no records");
  const std::uint64_t string_count = u32_at(layout::kStringCountOffset);
  const std::uint64_t shape_count = u32_at(layout::kShapeCountOffset);
  const std::uint64_t stream_count = u32_at(layout::kStreamCountOffset);

  SectionCutter cutter(std::string_view(encoded_).substr(layout::kHeaderBytes));
  const std::string_view timestamps = cutter.take(count * 8);
  const std::string_view value_ends = cutter.take(count * 4);
  const std::string_view shape_indices = cutter.take(count * 4);
  const std::string_view stream_indices = cutter.take(count * 4);
  const std::string_view severities = cutter.take(count);
  const std::string_view marks = cutter.take(count);
  const std::string_view string_ends = cutter.take(string_count * 4);
  const std::string_view string_bytes = cutter.take(u32_at(layout::kStringBytesOffset));
  const std::string_view shape_ends = cutter.take(shape_count * 4);
  const std::string_view shape_bytes = cutter.take(u32_at(layout::kShapeBytesOffset));
  const std::string_view stream_ends = cutter.take(stream_count * 4);
  const std::string_view stream_bytes = cutter.take(u32_at(layout::kStreamBytesOffset));
  const std::string_view values = cutter.take(load_le<std::uint64_t>(head + layout::kValueBytesOffset));
  if (!cutter.is_spent())
    return batch_damage("sections do not fill " + std::to_string(encoded_.size()) + " bytes exactly");

  size_ = count;
  receive_time_ = Timestamp(load_le<std::int64_t>(head + layout::kReceiveTimeOffset));
  timestamps_ = reinterpret_cast<const std::int64_t*>(timestamps.data());
  value_ends_ = reinterpret_cast<const std::uint32_t*>(value_ends.data());
  shape_indices_ = reinterpret_cast<const std::uint32_t*>(shape_indices.data());
  stream_indices_ = reinterpret_cast<const std::uint32_t*>(stream_indices.data());
  severities_ = reinterpret_cast<const std::uint8_t*>(severities.data());
  marks_ = reinterpret_cast<const std::uint8_t*>(marks.data());
  values_ = values.data();
  const auto [low, high] = std::minmax_element(timestamps_, timestamps_ + size_);
  min_timestamp_ = Timestamp(*low);
  max_timestamp_ = Timestamp(*high);

  DENDRO_TRY_ASSIGN(const std::vector<std::string_view> strings, cut_table(string_ends, string_bytes, "string"));
  DENDRO_TRY_ASSIGN(const std::vector<std::string_view> shapes, cut_table(shape_ends, shape_bytes, "shape"));
  shapes_.reserve(shapes.size());
  for (const std::string_view bytes : shapes) {
    DENDRO_TRY_ASSIGN(Shape shape, parse_shape(bytes, strings));
    shapes_.push_back(std::move(shape));
  }
  DENDRO_TRY_ASSIGN(const std::vector<std::string_view> streams, cut_table(stream_ends, stream_bytes, "stream"));
  DENDRO_TRY(parse_streams(streams, strings));
  if (size_ > 0 && value_ends_[size_ - 1] != values.size()) return batch_damage("bytes behind the last record");
  memory_bytes_ = measure_memory();
  return {};
}

std::size_t RecordBatch::measure_memory() const {
  std::size_t bytes = sizeof(RecordBatch) + encoded_.capacity() + shapes_.capacity() * sizeof(Shape) +
                      streams_.capacity() * sizeof(Stream);
  for (const Shape& shape : shapes_) {
    bytes += shape.leaves.capacity() * sizeof(Leaf) + shape.ops.capacity() * sizeof(ShapeOp);
  }
  for (const Stream& stream : streams_) bytes += stream.labels.capacity() * sizeof(StreamLabel);
  return bytes;
}

Status RecordBatch::parse_streams(const std::vector<std::string_view>& rows,
                                  const std::vector<std::string_view>& strings) {
  streams_.reserve(rows.size());
  for (const std::string_view bytes : rows) {
    ByteReader reader(bytes);
    Stream stream;
    const std::uint64_t count = reader.read_varint();
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t path = reader.read_varint();
      const auto type = reader.read_le<std::uint8_t>();
      if (!reader.ok() || path >= strings.size() || type >= kValueTypeCount) return batch_damage("stream: bad label");
      const char* at = bytes.data() + (bytes.size() - reader.remaining());
      if (!skip_checked_value(static_cast<ValueType>(type), reader)) return batch_damage("stream: bad label value");
      if (!stream.labels.empty() && stream.labels.back().path >= strings[path])
        return batch_damage("stream: labels out of order");
      stream.labels.push_back(
          {strings[path], batch_encoding::read_value(static_cast<ValueType>(type), at, receive_time_)});
    }
    if (!reader.ok() || !reader.at_end()) return batch_damage("stream: bytes behind the last label");
    streams_.push_back(std::move(stream));
  }
  return {};
}

Status RecordBatch::check_records() const {
  const auto damage = [](std::size_t index, const char* what) {
    return batch_damage("record " + std::to_string(index) + ": " + what);
  };
  std::size_t first = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (shape_indices_[i] >= shapes_.size() || stream_indices_[i] >= streams_.size() || severities_[i] > kSeverityMax) {
      return damage(i, "index outside its table");
    }
    if (i == 0 || shape_indices_[i] != shape_indices_[i - 1] || stream_indices_[i] != stream_indices_[i - 1]) {
      if (!has_labels_of(streams_[stream_indices_[i]], shapes_[shape_indices_[i]]))
        return damage(i, "a label is missing in its stream");
    }
    const std::size_t last = value_ends_[i];
    if (last < first || last > value_ends_[size_ - 1]) return damage(i, "values end outside");
    ByteReader reader(std::string_view(values_ + first, last - first));
    for (const Leaf& leaf : shapes_[shape_indices_[i]].leaves) {
      if (leaf.is_stored() && !skip_checked_value(leaf.type, reader)) return damage(i, "bad value");
    }
    if (!reader.at_end()) return damage(i, "bytes behind the last value");
    first = last;
  }
  return {};
}

std::string_view RecordView::value_bytes() const {
  const std::size_t first = index_ == 0 ? 0 : batch_->value_ends_[index_ - 1];
  return {batch_->values_ + first, batch_->value_ends_[index_] - first};
}

Value RecordView::value_at(std::size_t leaf_index) const {
  const char* at = value_bytes().data();
  const std::vector<Leaf>& leaves = shape().leaves;
  if (!leaves[leaf_index].is_stored()) {
    const StreamLabel* label = stream().find(leaves[leaf_index].path);
    return label == nullptr ? Value::of_null() : label->value;
  }
  for (std::size_t i = 0; i < leaf_index; ++i) {
    if (leaves[i].is_stored()) batch_encoding::read_value(leaves[i].type, at, timestamp());
  }
  return batch_encoding::read_value(leaves[leaf_index].type, at, timestamp());
}

}  // namespace dendro
