#include "services/access/record_redactor.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace dendro {
namespace {

constexpr std::string_view kMask = "***";

bool is_at_or_below(std::string_view path, std::string_view name) {
  return path.starts_with(name) && (path.size() == name.size() || path[name.size()] == '.');
}
bool names(const std::vector<std::string>& list, std::string_view path) {
  return std::ranges::any_of(list, [path](const std::string& name) { return is_at_or_below(path, name); });
}

/// True if one of the names lies strictly below `path`.
bool names_below(const std::vector<std::string>& list, std::string_view path) {
  return std::ranges::any_of(list,
                             [path](const std::string& name) { return name != path && is_at_or_below(name, path); });
}

/// Values with fields of their own inside, which no name of the record's reaches.
bool may_hold_fields(const Value& value) {
  if (value.type == ValueType::list) return true;
  const bool is_text = value.type == ValueType::text || value.type == ValueType::bytes;
  const std::size_t first = is_text ? value.text.find_first_not_of(" \t\r\n") : std::string_view::npos;
  return first != std::string_view::npos && (value.text[first] == '{' || value.text[first] == '[');
}

/// Fields that repeat what any other field says: what a record with too many fields has no room for, and what was sent
/// of one that was refused.
constexpr std::string_view kCopiesOfAny[] = {"dendro.more", "dendro.raw", "dendro.detail"};
/// The texts of `metadata` of an audit log that are no fields (services/audit/audit_record.h).
constexpr std::string_view kCopyOfMetadata = "metadata_text";

/// The leaf's name in the query language.
std::string field_of(const Leaf& leaf) {
  if (leaf.role == LeafRole::body) return "body";
  if (leaf.role == LeafRole::body_part) return "body." + std::string(leaf.path);
  return std::string(leaf.path);
}

}  // namespace

bool RecordRedactor::touches(std::string_view field) const {
  const auto meets = [field](const std::string& name) {
    return is_at_or_below(field, name) || is_at_or_below(name, field);
  };
  return std::ranges::any_of(hidden_, meets) || std::ranges::any_of(masked_, meets);
}

bool RecordRedactor::hides(std::string_view field) const {
  return names(hidden_, field);
}

RecordRedactor::Fate RecordRedactor::fate_of(std::string_view field, const Value& value) const {
  if (names(hidden_, field)) return Fate::hidden;
  if (std::ranges::find(kCopiesOfAny, field) != std::end(kCopiesOfAny)) return Fate::hidden;
  if (field == kCopyOfMetadata && touches("metadata")) return Fate::hidden;
  if (names_below(hidden_, field) && may_hold_fields(value)) return Fate::hidden;
  if (names(masked_, field)) return Fate::masked;
  return names_below(masked_, field) && may_hold_fields(value) ? Fate::masked : Fate::kept;
}

RecordBlock RecordRedactor::redact(const RecordBlock& block) const {
  RecordBatchBuilder builder(block.batch->receive_time());
  auto sequences = std::make_shared<std::vector<SequenceNumber>>();
  auto receive_times = std::make_shared<std::vector<Timestamp>>();
  for (const std::uint32_t row : block.rows) {
    append(builder, block.record(row));
    sequences->push_back(block.sequence(row));
    receive_times->push_back(block.receive_time(row));
  }
  RecordBlock redacted{builder.finish(), std::move(sequences), SequenceNumber(), {}, std::move(receive_times), {}};
  redacted.rows.resize(block.rows.size());
  std::iota(redacted.rows.begin(), redacted.rows.end(), 0U);
  return redacted;
}

void RecordRedactor::append(RecordBatchBuilder& builder, const RecordView& record) const {
  builder.begin_record();
  builder.set_timestamp(record.timestamp());
  builder.set_severity(record.severity(), record.severity_is_from_body());
  std::vector<Value> values;
  record.for_each_leaf([&values](const Leaf&, const Value& value) {
    values.push_back(value);
    return true;
  });
  const Shape& shape = record.shape();
  for (const ShapeOp& op : shape.ops) {
    if (op.kind == ShapeOp::Kind::open) {
      builder.open_object(op.key);
    } else if (op.kind == ShapeOp::Kind::close) {
      builder.close_object();
    } else {
      const Leaf& leaf = shape.leaves[op.leaf_index];
      const Fate fate = fate_of(field_of(leaf), values[op.leaf_index]);
      if (fate == Fate::hidden) continue;
      builder.add_leaf(leaf.role, leaf.path, leaf.key,
                       fate == Fate::masked ? Value::of_text(kMask) : values[op.leaf_index]);
    }
  }
  for (const StreamLabel& label : record.stream().labels) {
    if (names(hidden_, label.path)) continue;
    builder.add_label(label.path, names(masked_, label.path) ? Value::of_text(kMask) : label.value);
  }
  builder.end_record();
}

}  // namespace dendro
