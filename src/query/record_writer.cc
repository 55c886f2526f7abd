#include "query/record_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/json_writer.h"
#include "record/record_id.h"
#include "record/severity.h"

namespace dendro {
namespace {

constexpr std::int64_t kDoubleExactMax = std::int64_t{1} << 53;

/// True if a numeral has more digits, or a larger exponent, than a double gives back.
bool exceeds_double(std::string_view numeral) {
  std::size_t digits = 0;
  bool leading = true;
  for (const char c : numeral.substr(0, numeral.find_first_of("eE"))) {
    if (c < '0' || c > '9' || (leading && c == '0')) continue;
    leading = false;
    ++digits;
  }
  return digits > 15 || !parse_number(numeral).has_value();
}

bool needs_string(const Value& value) {
  switch (value.type) {
    case ValueType::int64:
      return value.integer > kDoubleExactMax || value.integer < -kDoubleExactMax;
    case ValueType::uint64:
      return true;
    case ValueType::number_text:
      return exceeds_double(value.text);
    default:
      return false;
  }
}

/// `text` cut to at most `bytes`, not inside a character.
std::string_view clip_text(std::string_view text, std::uint64_t bytes) {
  std::size_t end = static_cast<std::size_t>(bytes);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

/// Keys that our own members have; an attribute of that name is printed with its prefix.
bool is_output_key(std::string_view key) {
  static constexpr std::array<std::string_view, 18> kKeys = {
      "_id",   "_time",      "_observed",       "_stream",       "_template", "_tenant",
      "body",  "severity",   "severity_number", "severity_text", "trace_id",  "span_id",
      "flags", "event_name", "scope.name",      "scope.version", "_clipped",  "_meta"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end() || key == "_status" || key == "_progress";
}

constexpr std::array<std::pair<LeafRole, std::string_view>, 6> kRoleKeys = {{
    {LeafRole::trace_id, "trace_id"},
    {LeafRole::span_id, "span_id"},
    {LeafRole::flags, "flags"},
    {LeafRole::event_name, "event_name"},
    {LeafRole::scope_name, "scope.name"},
    {LeafRole::scope_version, "scope.version"},
}};

}  // namespace

void append_answer_value(std::string& out, const Value& value, bool exact) {
  if (!exact || !needs_string(value)) {
    append_value_json(out, value);
    return;
  }
  std::string scratch;
  append_json_string(out, value_text(value, scratch));
}

RecordWriter::RecordWriter(const RowShape& shape, RecordWriterOptions options) : shape_(shape), options_(options) {
  const FieldsPipe* kept = shape_.is_table ? nullptr : shape_.kept();
  if (kept == nullptr) return;
  for (const NamePattern& name : kept->names) {
    kept_fields_.push_back(name.is_prefix ? nullptr : std::make_unique<RowField>(name.name, shape_));
  }
}

void RecordWriter::open(std::string& out) {
  out.push_back('{');
  needs_comma_ = false;
  clipped_.clear();
}

void RecordWriter::close(std::string& out) {
  if (!clipped_.empty()) {
    if (needs_comma_) out.push_back(',');
    out += "\"_clipped\":{";
    for (std::size_t i = 0; i < clipped_.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_json_string(out, clipped_[i].first);
      out.push_back(':');
      append_json_uint(out, clipped_[i].second);
    }
    out.push_back('}');
  }
  out.push_back('}');
}

void RecordWriter::append_member(std::string& out, std::string_view key, const Value& value) {
  if (needs_comma_) out.push_back(',');
  needs_comma_ = true;
  append_json_string(out, key);
  out.push_back(':');
  const bool is_long = options_.clip_bytes != 0 && value.text.size() > options_.clip_bytes;
  if (is_long && (value.type == ValueType::text || value.type == ValueType::bytes || value.type == ValueType::list)) {
    clipped_.emplace_back(key, value.text.size());
    Value part = value;
    part.text = value.type == ValueType::bytes ? value.text.substr(0, options_.clip_bytes)
                                               : clip_text(value.text, options_.clip_bytes);
    // A cut list is no list any more: its beginning, as text.
    if (part.type == ValueType::list) part.type = ValueType::text;
    append_value_json(out, part);
    return;
  }
  append_answer_value(out, value, options_.exact);
}

void RecordWriter::append(std::string& out, const RowBatch& rows, std::size_t index) {
  if (shape_.is_table) {
    append_table_row(out, rows.table[index]);
    return;
  }
  const RecordRow& row = rows.records[index];
  if (batch_serial_ != row.batch->serial()) start_batch(*row.batch);
  values_.clear();
  const std::vector<Leaf>& leaves = row.record().shape().leaves;
  values_.resize(leaves.size());
  row.record().for_each_leaf([&](const Leaf& leaf, const Value& value) {
    values_[static_cast<std::size_t>(&leaf - leaves.data())] = value;
    return true;
  });
  open(out);
  if (shape_.kept() != nullptr) {
    append_kept(out, rows, index);
  } else {
    append_whole(out, row);
  }
  close(out);
}

void RecordWriter::append_table_row(std::string& out, const TableRow& row) const {
  out.push_back('{');
  for (std::size_t column = 0; column < row.size(); ++column) {
    if (column > 0) out.push_back(',');
    append_json_string(out, shape_.columns[column]);
    out.push_back(':');
    append_answer_value(out, row[column].value(), options_.exact);
  }
  out.push_back('}');
}

void RecordWriter::start_batch(const RecordBatch& batch) {
  batch_ = &batch;
  batch_serial_ = batch.serial();
  shape_items_.assign(batch.shapes().size(), {});
  stream_labels_.clear();
  stream_texts_.assign(batch.streams().size(), {});
}

const RecordWriter::ShapeItems& RecordWriter::items_of(std::uint32_t shape_index) {
  ShapeItems& items = shape_items_[shape_index];
  if (!items.is_known) add_items(items, batch_->shapes()[shape_index]);
  items.is_known = true;
  return items;
}

void RecordWriter::add_items(ShapeItems& items, const Shape& shape) const {
  using Source = Item::Source;
  std::set<std::string> keys;
  const auto add = [&](std::string key, Source source, std::uint32_t leaf) {
    if (keys.insert(key).second) items.items.push_back({std::move(key), leaf, source});
  };
  const auto add_role = [&](LeafRole role, std::string_view key) {
    for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
      if (shape.leaves[i].role == role && shape.leaves[i].type != ValueType::null)
        add(std::string(key), Source::leaf, i);
    }
  };
  add("_id", Source::id, 0);
  add("_time", Source::time, 0);
  add("_stream", Source::stream, 0);
  add("severity", Source::severity, 0);
  add("severity_number", Source::severity_number, 0);
  add_role(LeafRole::severity_text, "severity_text");
  for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
    if (shape.leaves[i].role == LeafRole::severity && shape.leaves[i].type == ValueType::text)
      add("severity_text", Source::severity_text, i);
  }
  add_role(LeafRole::body, "body");
  for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
    const Leaf& leaf = shape.leaves[i];
    if (leaf.role == LeafRole::body_part && leaf.type != ValueType::null)
      add("body." + std::string(leaf.path), Source::leaf, i);
  }
  for (const auto& [role, key] : kRoleKeys) add_role(role, key);
  for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
    const Leaf& leaf = shape.leaves[i];
    if (leaf.role != LeafRole::attribute || leaf.type == ValueType::null) continue;
    const std::string path(leaf.path);
    const bool is_taken = is_output_key(path) || leaf.path.starts_with("body.");
    add(is_taken && keys.contains(path) ? "attributes." + path
        : is_output_key(path)           ? "attributes." + path
                                        : path,
        Source::leaf, i);
  }
}

/// Keys and label indices of a stream beside the keys of a shape.
const std::vector<std::pair<std::string, std::uint32_t>>& RecordWriter::labels_of(std::uint32_t shape_index,
                                                                                  std::uint32_t stream_index) {
  const std::uint64_t pair = std::uint64_t{shape_index} << 32 | stream_index;
  const auto known = stream_labels_.find(pair);
  if (known != stream_labels_.end()) return known->second;
  auto& labels = stream_labels_[pair];
  const std::vector<Item>& items = items_of(shape_index).items;
  const Stream& stream = batch_->streams()[stream_index];
  for (std::uint32_t i = 0; i < stream.labels.size(); ++i) {
    if (stream.labels[i].value.is_missing()) continue;
    std::string key(stream.labels[i].path);
    const bool is_shadowed = is_output_key(key) || std::any_of(items.begin(), items.end(),
                                                               [&key](const Item& item) { return item.key == key; });
    labels.emplace_back(is_shadowed ? "resource." + key : key, i);
  }
  return labels;
}

void RecordWriter::append_item(std::string& out, const Item& item, const RecordRow& row) {
  using Source = Item::Source;
  const SeverityNumber severity = row.batch->severity(row.row);
  switch (item.source) {
    case Source::id:
      append_member(out, item.key, Value::of_text(to_record_id(row.position())));
      return;
    case Source::time:
      append_member(out, item.key, Value::of_time(row.batch->timestamp(row.row), 9));
      return;
    case Source::stream: {
      std::string& text = stream_texts_[row.batch->stream_index(row.row)];
      if (text.empty()) text = to_stream_text(row.record().stream());
      append_member(out, item.key, value_of_string(text));
      return;
    }
    case Source::severity:
      if (severity != kSeverityUnset) append_member(out, item.key, Value::of_text(severity_name(severity)));
      return;
    case Source::severity_number:
      // Only where the name does not say it all.
      if (severity != kSeverityUnset && (severity - 1) % 4 != 0)
        append_member(out, item.key, Value::of_int64(severity));
      return;
    case Source::severity_text:
      if (values_[item.leaf].text != severity_name(severity)) append_member(out, item.key, values_[item.leaf]);
      return;
    case Source::leaf:
      append_member(out, item.key, values_[item.leaf]);
      return;
  }
}

void RecordWriter::append_whole(std::string& out, const RecordRow& row) {
  const std::uint32_t shape_index = row.batch->shape_index(row.row);
  const std::uint32_t stream_index = row.batch->stream_index(row.row);
  const bool is_projected = !shape_.projections.empty();
  for (const Item& item : items_of(shape_index).items) {
    if (!is_projected || shape_.is_visible(item.key)) append_item(out, item, row);
  }
  for (const auto& [key, label] : labels_of(shape_index, stream_index)) {
    if (!is_projected || shape_.is_visible(key))
      append_member(out, key, row.batch->streams()[stream_index].labels[label].value);
  }
}

void RecordWriter::append_kept(std::string& out, const RowBatch& rows, std::size_t index) {
  const RecordRow& row = rows.records[index];
  const std::vector<NamePattern>& names = shape_.kept()->names;
  const std::uint32_t shape_index = row.batch->shape_index(row.row);
  const std::uint32_t stream_index = row.batch->stream_index(row.row);
  std::set<std::string_view> written;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_body_map = names[i].name == "body" && !names[i].is_prefix &&
                             std::any_of(row.record().shape().leaves.begin(), row.record().shape().leaves.end(),
                                         [](const Leaf& leaf) { return leaf.role == LeafRole::body_part; });
    if (kept_fields_[i] != nullptr && !is_body_map) {
      if (!written.insert(names[i].name).second) continue;
      const Value value = kept_fields_[i]->read(rows, index);
      if (!value.is_missing()) append_member(out, names[i].name, value);
      continue;
    }
    const NamePattern pattern = is_body_map ? NamePattern{"body.", true} : names[i];
    for (const Item& item : items_of(shape_index).items) {
      if (pattern.matches(item.key) && (is_body_map || shape_.is_visible(item.key)) && written.insert(item.key).second)
        append_item(out, item, row);
    }
    for (const auto& [key, label] : labels_of(shape_index, stream_index)) {
      if (!pattern.matches(key) || !shape_.is_visible(key) || !written.insert(key).second) continue;
      append_member(out, key, row.batch->streams()[stream_index].labels[label].value);
    }
  }
}

}  // namespace dendro
