#include "filter/field_reader.h"

#include "codec/canonical_leaf.h"
#include "record/record_id.h"
#include "record/severity.h"

namespace dendro {
namespace {

bool is_leaf_of(const Leaf& leaf, const FieldCandidate& candidate) {
  if (leaf.type == ValueType::null) return false;
  switch (candidate.kind) {
    case FieldKind::role_leaf:
      return leaf.role == candidate.role;
    case FieldKind::template_id:
      return leaf.role == LeafRole::body && leaf.type == ValueType::text;
    case FieldKind::body_parts:
      return leaf.role == LeafRole::body_part;
    case FieldKind::body_part:
      return leaf.role == LeafRole::body_part && leaf.path == candidate.path;
    case FieldKind::attribute:
      return leaf.role == LeafRole::attribute && leaf.path == candidate.path;
    default:
      return false;
  }
}

/// The sender's word: beside a number of its own, or where the severity was read from.
std::vector<std::uint32_t> severity_text_leaves(const Shape& shape) {
  std::vector<std::uint32_t> found;
  for (const LeafRole role : {LeafRole::severity_text, LeafRole::severity}) {
    for (std::uint32_t i = 0; i < shape.leaves.size() && found.empty(); ++i) {
      if (shape.leaves[i].role == role && shape.leaves[i].type == ValueType::text) found.push_back(i);
    }
  }
  return found;
}

std::optional<Timestamp> time_of_value(const Value& value) {
  if (value.type == ValueType::time) return Timestamp(value.integer);
  if (value.type == ValueType::int64) return timestamp_from_epoch(value.integer);
  if (value.type != ValueType::text && value.type != ValueType::number_text) return std::nullopt;
  if (const auto parsed = parse_rfc3339(value.text)) return parsed;
  return parse_epoch(value.text);
}

std::string_view body_text(const RecordView& record) {
  std::string_view body;
  record.for_each_leaf([&body](const Leaf& leaf, const Value& value) {
    if (leaf.role == LeafRole::body) body = value.text;
    return leaf.role != LeafRole::body;
  });
  return body;
}

Timestamp observed_time(const RecordView& record, Timestamp receive_time) {
  Timestamp observed = receive_time;
  record.for_each_leaf([&observed](const Leaf& leaf, const Value& value) {
    if (leaf.role != LeafRole::observed) return true;
    observed = time_of_value(value).value_or(observed);
    return false;
  });
  return observed;
}

}  // namespace

void FieldReader::start(const RecordBatch& batch) {
  batch_ = &batch;
  batch_serial_ = batch.serial();
  shape_places_.assign(batch.shapes().size() * 2, Place());
  stream_places_.assign(batch.streams().size(), Place());
  stream_texts_.clear();
}

const FieldReader::Place& FieldReader::place_of(std::uint32_t row) {
  const std::uint32_t shape_index = batch_->shape_index(row);
  const std::uint32_t stream_index = batch_->stream_index(row);
  const bool has_severity = batch_->severity(row) != kSeverityUnset;
  Place& in_shape = shape_places_[shape_index * 2u + (has_severity ? 0u : 1u)];
  if (!in_shape.is_known) in_shape = find_in_shape(*field_, batch_->shapes()[shape_index], has_severity);
  Place& in_stream = stream_places_[stream_index];
  if (!in_stream.is_known) in_stream = find_in_stream(*field_, batch_->streams()[stream_index]);
  return in_shape.rank <= in_stream.rank ? in_shape : in_stream;
}

FieldReader::Place FieldReader::find_in_shape(const FieldName& field, const Shape& shape, bool has_severity) {
  Place place;
  place.is_known = true;
  for (std::size_t rank = 0; rank < field.candidates.size(); ++rank) {
    const FieldCandidate& candidate = field.candidates[rank];
    bool found = false;
    switch (candidate.kind) {
      case FieldKind::time:
      case FieldKind::observed:
      case FieldKind::id:
      case FieldKind::stream_text:
        found = true;
        place.kind = candidate.kind;
        break;
      case FieldKind::severity:
      case FieldKind::severity_number:
        found = has_severity;
        place.kind = candidate.kind;
        break;
      case FieldKind::severity_text:
        place.leaves = severity_text_leaves(shape);
        found = !place.leaves.empty();
        place.kind = FieldKind::attribute;
        break;
      case FieldKind::label:
        break;
      default:
        for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
          if (is_leaf_of(shape.leaves[i], candidate)) place.leaves.push_back(i);
        }
        found = !place.leaves.empty();
        place.kind = candidate.kind == FieldKind::template_id ? candidate.kind : FieldKind::attribute;
        break;
    }
    if (found) {
      place.rank = rank;
      break;
    }
  }
  return place;
}

FieldReader::Place FieldReader::find_in_stream(const FieldName& field, const Stream& stream) {
  Place place;
  place.is_known = true;
  place.kind = FieldKind::label;
  for (std::size_t rank = 0; rank < field.candidates.size(); ++rank) {
    const FieldCandidate& candidate = field.candidates[rank];
    const StreamLabel* label = candidate.kind == FieldKind::label ? stream.find(candidate.path) : nullptr;
    if (label == nullptr || label->value.is_missing()) continue;
    place.rank = rank;
    place.label_index = static_cast<std::size_t>(label - stream.labels.data());
    break;
  }
  return place;
}

Value FieldReader::column_value(FieldKind kind, std::uint32_t row, const RecordOrigin& origin) {
  switch (kind) {
    case FieldKind::time:
      return Value::of_time(batch_->timestamp(row), 9);
    case FieldKind::observed:
      return Value::of_time(observed_time(batch_->record(row), origin.receive_time.value_or(batch_->receive_time())),
                            9);
    case FieldKind::template_id:
      scratch_ = template_id_of(body_text(batch_->record(row)));
      return Value::of_text(scratch_);
    case FieldKind::severity:
      return Value::of_text(severity_name(batch_->severity(row)));
    case FieldKind::severity_number:
      return Value::of_int64(batch_->severity(row));
    case FieldKind::id:
      if (origin.sequence == SequenceNumber(0)) return Value::of_null();
      scratch_ = to_record_id({batch_->timestamp(row), origin.sequence});
      return Value::of_text(scratch_);
    case FieldKind::stream_text: {
      const std::uint32_t index = batch_->stream_index(row);
      if (stream_texts_.empty()) stream_texts_.resize(batch_->streams().size());
      if (stream_texts_[index] == nullptr) {
        stream_texts_[index] = std::make_unique<std::string>(to_stream_text(batch_->streams()[index]));
      }
      return Value::of_text(*stream_texts_[index]);
    }
    default:
      return Value::of_null();
  }
}

}  // namespace dendro
