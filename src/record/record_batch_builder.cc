#include "record/record_batch_builder.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/bytes.h"
#include "base/check.h"
#include "record/batch_layout.h"

namespace dendro {

/// Distinct byte strings in order of first use.
struct RecordBatchBuilder::Interner {
  std::deque<std::string> rows;  // a deque: its strings never move, the map's keys are views of them
  std::unordered_map<std::string_view, std::uint32_t> index;
  std::size_t bytes = 0;

  std::uint32_t last = 0;  // what was asked for last is mostly asked for next
  std::string scratch;     // for who makes up a text to ask for

  std::uint32_t intern(std::string_view text) {
    if (last < rows.size() && rows[last] == text) return last;
    const auto found = index.find(text);
    if (found != index.end()) return last = found->second;
    last = static_cast<std::uint32_t>(rows.size());
    index.emplace(rows.emplace_back(text), last);
    bytes += text.size();
    return last;
  }
  void append_to(std::string& out) const {
    std::uint32_t end = 0;
    for (const std::string& row : rows) append_le(out, end += static_cast<std::uint32_t>(row.size()));
    pad(out);
    for (const std::string& row : rows) out.append(row);
    pad(out);
  }
  static void pad(std::string& out) { out.resize(batch_layout::padded(out.size()), '\0'); }
};

namespace {

template <typename Number>
void append_column(std::string& out, const std::vector<Number>& column) {
  out.append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(Number));
  out.resize(batch_layout::padded(out.size()), '\0');
}

bool can_be_label(const Value& value) {
  switch (value.type) {
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float64:
    case ValueType::number_text:
    case ValueType::boolean:
      return true;
    default:
      return false;
  }
}

}  // namespace

RecordBatchBuilder::RecordBatchBuilder(Timestamp receive_time)
    : receive_time_(receive_time),
      strings_(std::make_unique<Interner>()),
      shapes_(std::make_unique<Interner>()),
      streams_(std::make_unique<Interner>()),
      label_sequences_(std::make_unique<Interner>()) {}

RecordBatchBuilder::~RecordBatchBuilder() = default;
RecordBatchBuilder::RecordBatchBuilder(RecordBatchBuilder&&) noexcept = default;
RecordBatchBuilder& RecordBatchBuilder::operator=(RecordBatchBuilder&&) noexcept = default;

void RecordBatchBuilder::begin_record() {
  DENDRO_CHECK(!in_record_);
  in_record_ = true;
  timestamp_ = receive_time_;
  severity_ = kSeverityUnset;
  severity_from_body_ = false;
  depth_ = 0;
  name_offset_ = 0;
  values_first_ = values_.size();
  shape_bytes_.clear();
  label_bytes_.clear();
  labels_.clear();
}

std::uint32_t RecordBatchBuilder::intern_name(std::string_view name) {
  if (name_offset_ == recent_names_.size()) recent_names_.push_back(strings_->intern(name));
  std::uint32_t& recent = recent_names_[name_offset_++];
  if (strings_->rows[recent] != name) recent = strings_->intern(name);
  return recent;
}

void RecordBatchBuilder::open_object(std::string_view key) {
  ++depth_;
  shape_bytes_.push_back(static_cast<char>(ShapeOp::Kind::open));
  append_varint(shape_bytes_, intern_name(key));
}

void RecordBatchBuilder::close_object() {
  DENDRO_CHECK(--depth_ >= 0);
  shape_bytes_.push_back(static_cast<char>(ShapeOp::Kind::close));
}

void RecordBatchBuilder::append_value(std::string& out, LeafRole role, const Value& value) const {
  switch (value.type) {
    case ValueType::null:
    case ValueType::empty_object:
      return;
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      append_sized(out, value.text);
      return;
    case ValueType::int64:
      append_varint(out, zigzag_encode(value.integer));
      return;
    case ValueType::uint64:
      append_varint(out, value.natural);
      return;
    case ValueType::float64:
      append_le(out, value.real);
      return;
    case ValueType::boolean:
      out.push_back(value.boolean ? 1 : 0);
      return;
    case ValueType::time: {
      const bool own = role == LeafRole::timestamp && value.integer == timestamp_.number();
      out.push_back(static_cast<char>(value.fraction_digits | (own ? 0 : batch_layout::kTimeHasInstant)));
      if (!own) append_le(out, value.integer);
      return;
    }
  }
}

bool RecordBatchBuilder::has_label(std::uint32_t path) const {
  return std::any_of(labels_.begin(), labels_.end(), [path](const PendingLabel& label) { return label.path == path; });
}

void RecordBatchBuilder::append_label(std::uint32_t path, const Value& value) {
  const std::size_t first = label_bytes_.size();
  label_bytes_.push_back(static_cast<char>(value.type));
  append_value(label_bytes_, LeafRole::resource, value);
  labels_.push_back({path, first, label_bytes_.size()});
}

void RecordBatchBuilder::add_leaf(LeafRole role, std::string_view path, std::string_view key, const Value& value) {
  const std::uint32_t path_index = intern_name(path);
  const std::uint32_t key_index = path == key ? path_index : intern_name(key);
  if (role == LeafRole::resource && (!can_be_label(value) || has_label(path_index))) role = LeafRole::attribute;
  shape_bytes_.push_back(static_cast<char>(ShapeOp::Kind::leaf));
  shape_bytes_.push_back(static_cast<char>(role));
  shape_bytes_.push_back(static_cast<char>(value.type));
  append_varint(shape_bytes_, path_index);
  append_varint(shape_bytes_, key_index);
  if (role == LeafRole::resource) {
    append_label(path_index, value);
  } else {
    append_value(values_, role, value);
  }
}

void RecordBatchBuilder::add_label(std::string_view path, const Value& value) {
  const std::uint32_t path_index = intern_name(path);
  if (can_be_label(value) && !has_label(path_index)) append_label(path_index, value);
}

std::uint32_t RecordBatchBuilder::intern_stream() {
  const auto encode = [this](std::string& out) {
    append_varint(out, labels_.size());
    for (const PendingLabel& label : labels_) {
      append_varint(out, label.path);
      out.append(label_bytes_, label.first, label.last - label.first);
    }
  };
  std::string& arrived = label_sequences_->scratch;
  arrived.clear();
  encode(arrived);
  const std::uint32_t sequence = label_sequences_->intern(arrived);
  if (sequence < stream_of_sequence_.size()) return stream_of_sequence_[sequence];
  std::sort(labels_.begin(), labels_.end(), [this](const PendingLabel& a, const PendingLabel& b) {
    return strings_->rows[a.path] < strings_->rows[b.path];
  });
  std::string canonical;
  encode(canonical);
  stream_of_sequence_.push_back(streams_->intern(canonical));
  return stream_of_sequence_.back();
}

void RecordBatchBuilder::end_record() {
  DENDRO_CHECK(in_record_ && depth_ == 0);
  in_record_ = false;
  keep_record(shapes_->intern(shape_bytes_), intern_stream());
}

void RecordBatchBuilder::keep_record(std::uint32_t shape, std::uint32_t stream) {
  timestamps_.push_back(timestamp_.number());
  value_ends_.push_back(static_cast<std::uint32_t>(values_.size()));
  shape_indices_.push_back(shape);
  stream_indices_.push_back(stream);
  severities_.push_back(severity_);
  marks_.push_back(severity_from_body_ ? batch_layout::kMarkSeverityFromBody : std::uint8_t{0});
}

void RecordBatchBuilder::abandon_record() {
  DENDRO_CHECK(in_record_);
  in_record_ = false;
  values_.resize(values_first_);
}

std::uint32_t RecordBatchBuilder::add_shape(const Shape& shape) {
  DENDRO_CHECK(!in_record_);
  shape_bytes_.clear();
  for (const ShapeOp& op : shape.ops) {
    shape_bytes_.push_back(static_cast<char>(op.kind));
    if (op.kind == ShapeOp::Kind::open) {
      append_varint(shape_bytes_, strings_->intern(op.key));
    } else if (op.kind == ShapeOp::Kind::leaf) {
      const Leaf& leaf = shape.leaves[op.leaf_index];
      shape_bytes_.push_back(static_cast<char>(leaf.role));
      shape_bytes_.push_back(static_cast<char>(leaf.type));
      append_varint(shape_bytes_, strings_->intern(leaf.path));
      append_varint(shape_bytes_, strings_->intern(leaf.key));
    }
  }
  return shapes_->intern(shape_bytes_);
}

std::uint32_t RecordBatchBuilder::add_stream(const Stream& stream) {
  DENDRO_CHECK(!in_record_);
  std::string canonical;
  append_varint(canonical, stream.labels.size());
  for (const StreamLabel& label : stream.labels) {
    append_varint(canonical, strings_->intern(label.path));
    canonical.push_back(static_cast<char>(label.value.type));
    append_value(canonical, LeafRole::resource, label.value);
  }
  return streams_->intern(canonical);
}

void RecordBatchBuilder::begin_formed(Timestamp timestamp, SeverityNumber severity, bool found_in_body) {
  DENDRO_CHECK(!in_record_);
  in_record_ = true;
  timestamp_ = timestamp;
  severity_ = severity;
  severity_from_body_ = found_in_body;
}

void RecordBatchBuilder::end_formed(std::uint32_t shape, std::uint32_t stream) {
  DENDRO_CHECK(in_record_);
  in_record_ = false;
  keep_record(shape, stream);
}

void RecordBatchBuilder::append_copy(const RecordView& record) {
  begin_record();
  set_timestamp(record.timestamp());
  set_severity(record.severity(), record.severity_is_from_body());
  const Shape& shape = record.shape();
  const char* at = record.value_bytes().data();
  for (const ShapeOp& op : shape.ops) {
    if (op.kind == ShapeOp::Kind::open) {
      open_object(op.key);
    } else if (op.kind == ShapeOp::Kind::close) {
      close_object();
    } else {
      const Leaf& leaf = shape.leaves[op.leaf_index];
      const Value value = leaf.is_stored() ? batch_encoding::read_value(leaf.type, at, record.timestamp())
                                           : record.stream().find(leaf.path)->value;
      add_leaf(leaf.role, leaf.path, leaf.key, value);
    }
  }
  for (const StreamLabel& label : record.stream().labels) add_label(label.path, label.value);
  end_record();
}

std::size_t RecordBatchBuilder::encoded_bytes() const {
  constexpr std::size_t kColumnBytesPerRecord = 8 + 4 + 4 + 4 + 1 + 1;
  const auto table_bytes = [](const Interner& table) { return table.bytes + table.rows.size() * 4; };
  return batch_layout::kHeaderBytes + timestamps_.size() * kColumnBytesPerRecord + values_.size() +
         table_bytes(*strings_) + table_bytes(*shapes_) + table_bytes(*streams_);
}

void RecordBatchBuilder::reset() {
  // The columns keep their memory: a stream of batches would otherwise fault in some 8 MiB of new pages for each.
  timestamps_.clear();
  value_ends_.clear();
  shape_indices_.clear();
  stream_indices_.clear();
  severities_.clear();
  marks_.clear();
  values_.clear();
  *strings_ = Interner();
  *shapes_ = Interner();
  *streams_ = Interner();
  *label_sequences_ = Interner();
  stream_of_sequence_.clear();
  recent_names_.clear();
}

std::shared_ptr<const RecordBatch> RecordBatchBuilder::finish() {
  Result<std::shared_ptr<const RecordBatch>> batch = finish_formed();
  DENDRO_CHECK(batch.has_value());  // the builder keeps B1
  return std::move(batch).value();
}

Result<std::shared_ptr<const RecordBatch>> RecordBatchBuilder::finish_formed() {
  DENDRO_CHECK(!in_record_ && !timestamps_.empty());
  std::string out;
  out.reserve(encoded_bytes() + 128);
  const auto append_u32 = [&out](std::size_t number) { append_le(out, static_cast<std::uint32_t>(number)); };
  append_u32(batch_layout::kVersion);
  append_u32(timestamps_.size());
  append_le(out, receive_time_.number());
  for (const Interner* table : {strings_.get(), shapes_.get(), streams_.get()}) {
    append_u32(table->rows.size());
    append_u32(table->bytes);
  }
  append_le(out, static_cast<std::uint64_t>(values_.size()));
  append_column(out, timestamps_);
  append_column(out, value_ends_);
  append_column(out, shape_indices_);
  append_column(out, stream_indices_);
  append_column(out, severities_);
  append_column(out, marks_);
  strings_->append_to(out);
  shapes_->append_to(out);
  streams_->append_to(out);
  out.append(values_);
  Interner::pad(out);
  reset();
  return RecordBatch::decode(std::move(out));
}

}  // namespace dendro
