#include "storage/segment/segment_dictionary.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "codec/splitter.h"

namespace dendro {
namespace {

Error bad_dictionary(std::string_view what) {
  return Error(ErrorCode::corruption, "DICT: " + std::string(what));
}

/// Values of labels; the types that RecordBatchBuilder lets become one.
void append_label_value(std::string& out, const Value& value) {
  out.push_back(static_cast<char>(value.type));
  switch (value.type) {
    case ValueType::int64:
      append_varint(out, zigzag_encode(value.integer));
      break;
    case ValueType::uint64:
      append_varint(out, value.natural);
      break;
    case ValueType::float64:
      append_le(out, value.real);
      break;
    case ValueType::boolean:
      out.push_back(value.boolean ? 1 : 0);
      break;
    default:
      append_sized(out, value.text);
      break;
  }
}

bool read_label_value(ByteReader& reader, Value& value) {
  const auto type = static_cast<ValueType>(reader.read_le<std::uint8_t>());
  switch (type) {
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
      value.type = type;
      value.text = reader.read_sized();
      break;
    case ValueType::int64:
      value = Value::of_int64(zigzag_decode(reader.read_varint()));
      break;
    case ValueType::uint64:
      value = Value::of_uint64(reader.read_varint());
      break;
    case ValueType::float64:
      value = Value::of_float64(reader.read_le<double>());
      break;
    case ValueType::boolean:
      value = Value::of_bool(reader.read_le<std::uint8_t>() != 0);
      break;
    default:
      return false;
  }
  return reader.ok();
}

void append_templates(std::string& out, const TemplateTable& table) {
  append_varint(out, table.size() - 1);
  for (std::uint32_t number = 1; number < table.size(); ++number) append_varint(out, table.text(number).size());
  for (std::uint32_t number = 1; number < table.size(); ++number) out.append(table.text(number));
  // Classes and lengths apart from the texts: each packs best among its own kind.
  for (std::uint32_t number = 1; number < table.size(); ++number) {
    for (std::size_t slot = 0; slot < table.slot_count(number); ++slot) {
      out.push_back(static_cast<char>(table.slot(number, slot).classes));
    }
  }
  for (std::uint32_t number = 1; number < table.size(); ++number) {
    for (std::size_t slot = 0; slot < table.slot_count(number); ++slot) {
      append_varint(out, table.slot(number, slot).max_bytes);
    }
  }
}

bool read_templates(ByteReader& reader, ColumnTemplates& column) {
  const std::uint64_t count = reader.read_varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  std::vector<std::uint64_t> sizes(count);
  for (std::uint64_t& size : sizes) size = reader.read_varint();
  column.templates.resize(1);
  column.templates.reserve(count + 1);
  std::uint64_t slots = 0;
  for (const std::uint64_t size : sizes) {
    TemplateView view;
    view.text = reader.read_bytes(size);
    view.first_slot = static_cast<std::uint32_t>(slots);
    view.slot_count = static_cast<std::uint32_t>(std::count(view.text.begin(), view.text.end(), kSlotMark));
    slots += view.slot_count;
    column.templates.push_back(view);
  }
  if (!reader.ok() || slots > reader.remaining()) return false;
  column.slots.resize(slots);
  for (SlotSummary& slot : column.slots) slot.classes = reader.read_le<ByteClasses>();
  for (SlotSummary& slot : column.slots) slot.max_bytes = static_cast<std::uint32_t>(reader.read_varint());
  return reader.ok();
}

}  // namespace

std::uint32_t SegmentDictionaryBuilder::intern_row(std::deque<std::string>& rows,
                                                   std::unordered_map<std::string_view, std::uint32_t>& index,
                                                   std::string bytes, bool& is_new) {
  const auto found = index.find(bytes);
  is_new = found == index.end();
  if (!is_new) return found->second;
  const auto number = static_cast<std::uint32_t>(rows.size());
  index.emplace(rows.emplace_back(std::move(bytes)), number);
  return number;
}

std::uint32_t SegmentDictionaryBuilder::intern(std::string_view name) {
  bool is_new = false;
  return intern_row(names_, name_index_, std::string(name), is_new);
}

std::uint32_t SegmentDictionaryBuilder::column_of(std::string_view path, ValueType type) {
  const std::uint32_t name = intern(path);
  const std::uint64_t key = std::uint64_t{name} << 8 | static_cast<std::uint8_t>(type);
  const auto [found, is_new] = column_index_.emplace(key, static_cast<std::uint32_t>(columns_.size()));
  if (is_new) columns_.push_back({name, type, is_string_column(type) ? std::make_unique<TemplateTable>() : nullptr});
  return found->second;
}

namespace {

/// How often the column that stands there most often stands among `columns`; at least 1.
std::uint32_t most_repeats(std::vector<std::uint32_t> columns) {
  std::sort(columns.begin(), columns.end());
  std::uint32_t most = 1;
  std::uint32_t run = 1;
  for (std::size_t i = 1; i < columns.size() && columns[i] != kNoColumn; ++i) {
    run = columns[i] == columns[i - 1] ? run + 1 : 1;
    most = std::max(most, run);
  }
  return most;
}

}  // namespace

std::uint32_t SegmentDictionaryBuilder::add_shape(const Shape& shape) {
  std::string bytes;
  for (const ShapeOp& op : shape.ops) {
    bytes.push_back(static_cast<char>(op.kind));
    if (op.kind == ShapeOp::Kind::open) {
      append_varint(bytes, intern(op.key));
    } else if (op.kind == ShapeOp::Kind::leaf) {
      const Leaf& leaf = shape.leaves[op.leaf_index];
      bytes.push_back(static_cast<char>(leaf.role));
      bytes.push_back(static_cast<char>(leaf.type));
      append_varint(bytes, intern(leaf.path));
      append_varint(bytes, intern(leaf.key));
    }
  }
  bool is_new = false;
  const std::uint32_t number = intern_row(shapes_, shape_index_, std::move(bytes), is_new);
  if (is_new) {
    std::vector<std::uint32_t>& columns = shape_columns_.emplace_back();
    for (const Leaf& leaf : shape.leaves) {
      columns.push_back(!leaf.is_stored() || has_no_column(leaf.type) ? kNoColumn : column_of(leaf.path, leaf.type));
    }
    shape_repeats_.push_back(most_repeats(columns));
  }
  return number;
}

std::uint32_t SegmentDictionaryBuilder::add_stream(const Stream& stream) {
  std::string bytes;
  append_varint(bytes, stream.labels.size());
  for (const StreamLabel& label : stream.labels) {
    append_varint(bytes, intern(label.path));
    append_label_value(bytes, label.value);
  }
  bool is_new = false;
  return intern_row(streams_, stream_index_, std::move(bytes), is_new);
}

std::string SegmentDictionaryBuilder::encode() const {
  std::string out;
  out.push_back(static_cast<char>(kSplitterVersion));
  for (const std::deque<std::string>* rows : {&names_, &shapes_, &streams_}) {
    append_varint(out, rows->size());
    for (const std::string& row : *rows) append_sized(out, row);
  }
  append_varint(out, columns_.size());
  for (const Column& column : columns_) {
    append_varint(out, column.path);
    out.push_back(static_cast<char>(column.type));
    if (column.templates != nullptr) append_templates(out, *column.templates);
  }
  return out;
}

Result<std::unique_ptr<const SegmentDictionary>> SegmentDictionary::parse(std::string bytes) {
  std::unique_ptr<SegmentDictionary> dictionary(new SegmentDictionary());
  dictionary->bytes_ = std::move(bytes);
  DENDRO_TRY(dictionary->read());
  return std::unique_ptr<const SegmentDictionary>(std::move(dictionary));
}

namespace {

/// Shapes and streams name others by index; this finds them and remembers a miss.
class NameReader {
 public:
  NameReader(ByteReader& reader, const std::vector<std::string_view>& names) : reader_(reader), names_(names) {}
  std::string_view read() {
    const std::uint64_t index = reader_.read_varint();
    if (!reader_.ok() || index >= names_.size()) {
      ok_ = false;
      return {};
    }
    return names_[index];
  }
  bool ok() const { return ok_ && reader_.ok(); }

 private:
  ByteReader& reader_;
  const std::vector<std::string_view>& names_;
  bool ok_ = true;
};

Result<Shape> read_shape(std::string_view bytes, const std::vector<std::string_view>& names) {
  Shape shape;
  ByteReader reader(bytes);
  NameReader name(reader, names);
  int depth = 0;
  while (!reader.at_end() && name.ok()) {
    ShapeOp op;
    const auto kind = reader.read_le<std::uint8_t>();
    if (kind > 2) return bad_dictionary("unknown step of a shape");
    op.kind = static_cast<ShapeOp::Kind>(kind);
    if (op.kind == ShapeOp::Kind::leaf) {
      const auto role = reader.read_le<std::uint8_t>();
      const auto type = reader.read_le<std::uint8_t>();
      if (role >= kLeafRoleCount || type >= kValueTypeCount) return bad_dictionary("unknown role or type");
      const std::string_view path = name.read();
      const std::string_view key = name.read();
      op.leaf_index = static_cast<std::uint32_t>(shape.leaves.size());
      shape.leaves.push_back({static_cast<LeafRole>(role), static_cast<ValueType>(type), path, key});
    } else if (op.kind == ShapeOp::Kind::open) {
      op.key = name.read();
      ++depth;
    } else if (--depth < 0) {
      return bad_dictionary("a shape closes what it never opened");
    }
    shape.ops.push_back(op);
  }
  if (!name.ok() || depth != 0) return bad_dictionary("a shape is cut off");
  return shape;
}

Result<Stream> read_stream(std::string_view bytes, const std::vector<std::string_view>& names) {
  Stream stream;
  ByteReader reader(bytes);
  NameReader name(reader, names);
  const std::uint64_t count = reader.read_varint();
  for (std::uint64_t i = 0; i < count && name.ok(); ++i) {
    StreamLabel label;
    label.path = name.read();
    if (!read_label_value(reader, label.value)) return bad_dictionary("bad label");
    if (!stream.labels.empty() && stream.labels.back().path >= label.path) return bad_dictionary("labels out of order");
    stream.labels.push_back(label);
  }
  if (!name.ok() || !reader.at_end()) return bad_dictionary("a stream is cut off");
  return stream;
}

}  // namespace

Status SegmentDictionary::read() {
  ByteReader reader(bytes_);
  const auto splitter = reader.read_le<std::uint8_t>();
  if (splitter != kSplitterVersion) {
    return Error(ErrorCode::unimplemented, "DICT: splitter version " + std::to_string(splitter) + " is not known");
  }
  const auto read_rows = [&reader](auto&& take) -> Status {
    const std::uint64_t count = reader.read_varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
      const std::string_view row = reader.read_sized();
      if (reader.ok()) DENDRO_TRY(take(row));
    }
    return reader.ok() ? Status() : Status(bad_dictionary("a table is cut off"));
  };
  DENDRO_TRY(read_rows([this](std::string_view row) {
    names_.push_back(row);
    return Status();
  }));
  DENDRO_TRY(read_rows([this](std::string_view row) -> Status {
    DENDRO_TRY_ASSIGN(Shape shape, read_shape(row, names_));
    shapes_.push_back(std::move(shape));
    return {};
  }));
  DENDRO_TRY(read_rows([this](std::string_view row) -> Status {
    DENDRO_TRY_ASSIGN(Stream stream, read_stream(row, names_));
    streams_.push_back(std::move(stream));
    return {};
  }));
  std::unordered_map<std::uint64_t, std::uint32_t> column_index;
  const auto key_of = [](std::string_view path, ValueType type) {
    // Names are views of one table, each text once: the address is its identity.
    return reinterpret_cast<std::uintptr_t>(path.data()) << 8 | static_cast<std::uint8_t>(type);
  };
  const std::uint64_t columns = reader.read_varint();
  for (std::uint64_t i = 0; i < columns && reader.ok(); ++i) {
    NameReader name(reader, names_);
    ColumnName column;
    column.path = name.read();
    column.type = static_cast<ValueType>(reader.read_le<std::uint8_t>());
    if (!name.ok() || static_cast<std::uint8_t>(column.type) >= kValueTypeCount) return bad_dictionary("bad column");
    column_index.emplace(key_of(column.path, column.type), static_cast<std::uint32_t>(i));
    columns_.push_back(column);
    ColumnTemplates& templates = templates_.emplace_back();
    if (is_string_column(column.type) && !read_templates(reader, templates)) return bad_dictionary("bad templates");
    memory_bytes_ +=
        templates.templates.capacity() * sizeof(TemplateView) + templates.slots.capacity() * sizeof(SlotSummary);
  }
  if (!reader.ok() || !reader.at_end()) return bad_dictionary("bytes behind the last column");
  for (const Shape& shape : shapes_) {
    std::vector<std::uint32_t>& own = shape_columns_.emplace_back();
    for (const Leaf& leaf : shape.leaves) {
      const auto found = column_index.find(key_of(leaf.path, leaf.type));
      const bool has_column = leaf.is_stored() && !has_no_column(leaf.type);
      if (has_column && found == column_index.end()) return bad_dictionary("a leaf without column");
      own.push_back(has_column ? found->second : kNoColumn);
    }
  }
  memory_bytes_ += bytes_.capacity();
  return {};
}

}  // namespace dendro
