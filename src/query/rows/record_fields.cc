#include "query/rows/record_fields.h"

#include <algorithm>
#include <array>
#include <set>

#include "record/record_id.h"
#include "record/severity.h"

namespace dendro {
namespace {

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

RecordFields::RecordFields(const RowShape& shape)
    : shape_(shape), is_kept_(!shape.is_table && shape.kept() != nullptr), kept_names_(shape.kept_names()) {
  for (const NamePattern& name : kept_names_)
    kept_fields_.push_back(name.is_prefix ? nullptr : std::make_unique<RowField>(name.name, shape_));
}

void RecordFields::visit(const RowBatch& rows, std::size_t index, const Visitor& visit) {
  const RecordRow& row = rows.records[index];
  if (batch_serial_ != row.batch->serial()) start_batch(*row.batch);
  values_.clear();
  const std::vector<Leaf>& leaves = row.record().shape().leaves;
  values_.resize(leaves.size());
  row.record().for_each_leaf([&](const Leaf& leaf, const Value& value) {
    values_[static_cast<std::size_t>(&leaf - leaves.data())] = value;
    return true;
  });
  if (is_kept_) {
    visit_kept(rows, index, visit);
  } else {
    visit_whole(row, visit);
  }
}

void RecordFields::start_batch(const RecordBatch& batch) {
  batch_ = &batch;
  batch_serial_ = batch.serial();
  shape_items_.assign(batch.shapes().size(), {});
  stream_labels_.clear();
  stream_texts_.assign(batch.streams().size(), {});
}

const RecordFields::ShapeItems& RecordFields::items_of(std::uint32_t shape_index) {
  ShapeItems& items = shape_items_[shape_index];
  if (!items.is_known) add_items(items, batch_->shapes()[shape_index]);
  items.is_known = true;
  return items;
}

void RecordFields::add_items(ShapeItems& items, const Shape& shape) const {
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
const RecordFields::Labels& RecordFields::labels_of(std::uint32_t shape_index, std::uint32_t stream_index) {
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

void RecordFields::visit_item(const Item& item, const RecordRow& row, const Visitor& visit) {
  using Source = Item::Source;
  const SeverityNumber severity = row.batch->severity(row.row);
  switch (item.source) {
    case Source::id:
      visit(item.key, Value::of_text(to_record_id(row.position())));
      return;
    case Source::time:
      visit(item.key, Value::of_time(row.batch->timestamp(row.row), 9));
      return;
    case Source::stream: {
      std::string& text = stream_texts_[row.batch->stream_index(row.row)];
      if (text.empty()) text = to_stream_text(row.record().stream());
      visit(item.key, value_of_string(text));
      return;
    }
    case Source::severity:
      if (severity != kSeverityUnset) visit(item.key, Value::of_text(severity_name(severity)));
      return;
    case Source::severity_number:
      // Only where the name does not say it all.
      if (severity != kSeverityUnset && (severity - 1) % 4 != 0) visit(item.key, Value::of_int64(severity));
      return;
    case Source::severity_text:
      if (values_[item.leaf].text != severity_name(severity)) visit(item.key, values_[item.leaf]);
      return;
    case Source::leaf:
      visit(item.key, values_[item.leaf]);
      return;
  }
}

void RecordFields::visit_whole(const RecordRow& row, const Visitor& visit) {
  const std::uint32_t shape_index = row.batch->shape_index(row.row);
  const std::uint32_t stream_index = row.batch->stream_index(row.row);
  const bool is_projected = !shape_.projections.empty();
  for (const Item& item : items_of(shape_index).items) {
    if (!is_projected || shape_.is_visible(item.key)) visit_item(item, row, visit);
  }
  for (const auto& [key, label] : labels_of(shape_index, stream_index)) {
    if (!is_projected || shape_.is_label_visible(key))
      visit(key, row.batch->streams()[stream_index].labels[label].value);
  }
}

void RecordFields::visit_kept(const RowBatch& rows, std::size_t index, const Visitor& visit) {
  const RecordRow& row = rows.records[index];
  const std::vector<NamePattern>& names = kept_names_;
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
      if (!value.is_missing()) visit(names[i].name, value);
      continue;
    }
    const NamePattern pattern = is_body_map ? NamePattern{"body.", true} : names[i];
    for (const Item& item : items_of(shape_index).items) {
      if (pattern.matches(item.key) && (is_body_map || shape_.is_visible(item.key)) && written.insert(item.key).second)
        visit_item(item, row, visit);
    }
    for (const auto& [key, label] : labels_of(shape_index, stream_index)) {
      if (!pattern.matches(key) || !shape_.is_label_visible(key) || !written.insert(key).second) continue;
      visit(key, row.batch->streams()[stream_index].labels[label].value);
    }
  }
}

}  // namespace dendro
