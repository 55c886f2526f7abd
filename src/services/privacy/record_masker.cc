#include "services/privacy/record_masker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ingest/limits.h"
#include "record/record_batch_builder.h"
#include "services/audit/compact_json.h"
#include "services/privacy/json_mask.h"

namespace dendro {
namespace {

constexpr std::string_view kSourceName = "dendro.source", kAuditSourceName = "audit";
constexpr std::string_view kTrailSourceName = "audit_trail";
constexpr std::string_view kMetadataTextName = "metadata_text", kMetadataPrefix = "metadata.";

/// What senders wrote of a record that was not taken, and what we said of it.
bool is_loose_name(std::string_view path) {
  return path == "dendro.raw" || path == "dendro.detail";
}

/// What an audit log is known and read back by (services/audit/audit_record.h).
bool is_log_structure(std::string_view path) {
  constexpr std::array<std::string_view, 3> kNames = {"id", "action", "severity"};
  return std::ranges::find(kNames, path) != kNames.end();
}

/// Of the trail of reads what the caller asked is masked, never who it was.
bool is_trail_structure(std::string_view path) {
  return path != "query_params" && path != "resource_path";
}

bool has_structure_role(const Leaf& leaf) {
  switch (leaf.role) {
    case LeafRole::timestamp:
    case LeafRole::observed:
    case LeafRole::severity:
    case LeafRole::trace_id:
    case LeafRole::span_id:
    case LeafRole::flags:
      return true;
    default:
      return false;
  }
}

/// Whether its name is the sender's to choose, and no part of what the record is known by.
bool has_free_name(const Leaf& leaf) {
  const bool is_free =
      leaf.role == LeafRole::attribute || leaf.role == LeafRole::body_part || leaf.role == LeafRole::resource;
  return is_free && leaf.path != kSourceName;
}

std::string field_name_of(const Leaf& leaf) {
  if (leaf.role == LeafRole::body) return "body";
  if (leaf.role == LeafRole::body_part) return "body." + std::string(leaf.path);
  return std::string(leaf.path);
}

/// What was cut off at the limit of dead letters may end inside a secret: its last word goes, and digits before it.
std::string_view without_torn_end(std::string_view raw) {
  constexpr std::size_t kWordMax = 512, kSlack = 4;
  if (raw.size() + kSlack <= kMaxDeadLetterRawBytes) return raw;
  std::size_t end = raw.size();
  while (end > 0 && raw.size() - end < kWordMax && raw[end - 1] != ' ' && raw[end - 1] != '\n') --end;
  const auto goes_on = [](char c) { return c == ' ' || c == '-' || (c >= '0' && c <= '9'); };
  while (end > 0 && raw.size() - end < kWordMax && goes_on(raw[end - 1])) --end;
  while (end > 0 && (static_cast<unsigned char>(raw[end]) & 0xC0) == 0x80) --end;
  return raw.substr(0, end);
}

/// `\u0040` as `@` and `\/` as `/`: escapes of plain characters that JSON does not need.
std::string without_idle_escapes(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  const auto half = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain.push_back(text[i]);
      continue;
    }
    if (text[i + 1] == '/') {
      plain.push_back('/');
      ++i;
      continue;
    }
    if (text.substr(i + 1, 3) == "u00" && i + 5 < text.size() && half(text[i + 4]) >= 2 && half(text[i + 5]) >= 0) {
      const int byte = half(text[i + 4]) * 16 + half(text[i + 5]);
      if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
        plain.push_back(static_cast<char>(byte));
        i += 5;
        continue;
      }
    }
    plain.append(text.substr(i, 2));
    ++i;
  }
  return plain;
}

/// A list as text of JSON that holds containers: what `metadata_text` repeats (audit_record.cc).
bool is_hidden_from_filters(std::string_view json) {
  return json.starts_with('{') || json.find_first_of("[{", 1) != std::string_view::npos;
}

/// At least what a builder needs for the record.
std::size_t encoded_bytes_of(const RecordView& record) {
  constexpr std::size_t kRecordOverhead = 256, kLeafOverhead = 64;
  std::size_t bytes = kRecordOverhead + record.value_bytes().size();
  for (const Leaf& leaf : record.shape().leaves) bytes += kLeafOverhead + 2 * leaf.path.size() + leaf.key.size();
  for (const StreamLabel& label : record.stream().labels) {
    bytes += kLeafOverhead + label.path.size() + label.value.text.size();
  }
  return bytes;
}

}  // namespace

std::vector<std::shared_ptr<const RecordBatch>> RecordMasker::mask(
    std::vector<std::shared_ptr<const RecordBatch>> batches) {
  std::vector<std::shared_ptr<const RecordBatch>> masked;
  for (auto& batch : batches) {
    begin_batch(*batch);
    BatchFiller filler(batch->receive_time());
    bool is_rewritten = false;
    for (std::size_t row = 0; row < batch->size(); ++row) {
      const RecordView record = batch->record(row);
      const bool is_changed = mask_record(record);
      if (!is_changed && !is_rewritten) continue;
      // With the first find the batch is made anew.
      for (std::size_t i = 0; !is_rewritten && i < row; ++i) copy(filler, batch->record(i));
      is_rewritten = true;
      if (is_changed) {
        append(filler, record);
        ++records_changed_;
      } else {
        copy(filler, record);
      }
    }
    if (!is_rewritten) {
      masked.push_back(std::move(batch));
      continue;
    }
    filler.flush();
    for (auto& one : filler.take_batches()) masked.push_back(std::move(one));
  }
  return masked;
}

void RecordMasker::begin_batch(const RecordBatch& batch) {
  shapes_.clear();
  shapes_.resize(batch.shapes().size());
  streams_.assign(batch.streams().size(), {});
}

bool RecordMasker::mask_name(std::string_view name, std::string& out) {
  const auto verdict = masker_.mask(plan_.rules_for_all(), name, out);
  if (verdict == TextMasker::Verdict::drop || out.size() > kMaxFieldNameBytes) out = "***";
  return verdict != TextMasker::Verdict::unchanged;
}

RecordMasker::LeafPlan RecordMasker::plan_leaf(std::string field, bool is_ours) const {
  LeafPlan leaf;
  leaf.field = std::move(field);
  if (is_ours) return leaf;
  if (is_loose_name(leaf.field)) {
    leaf.way = LeafPlan::Way::loose;
    return leaf;
  }
  leaf.rules = plan_.rules_for(leaf.field);
  leaf.whole = plan_.whole_match(leaf.rules, leaf.field);
  leaf.way = leaf.rules == 0 && !plan_.has_field_rules() ? LeafPlan::Way::keep : LeafPlan::Way::text;
  return leaf;
}

const RecordMasker::ShapePlan& RecordMasker::shape_plan(const RecordBatch& batch, std::uint32_t index) {
  auto& known = shapes_[index];
  if (known != nullptr) return *known;
  known = std::make_unique<ShapePlan>();
  ShapePlan& plan = *known;
  const Shape& shape = batch.shapes()[index];
  for (const Leaf& leaf : shape.leaves) {
    plan.leaves.push_back(plan_leaf(field_name_of(leaf), has_structure_role(leaf) || !leaf.is_stored()));
    plan.has_metadata_text |= leaf.path == kMetadataTextName;
  }
  plan_names(shape, plan);
  return plan;
}

/// Each name is looked at by itself: what stands in front of it in a path is none of it.
void RecordMasker::plan_names(const Shape& shape, ShapePlan& plan) {
  plan.paths.resize(shape.leaves.size());
  plan.keys.resize(shape.leaves.size());
  plan.opened.resize(shape.ops.size());
  std::vector<NamePart> parts;
  for (std::size_t i = 0; i < shape.ops.size(); ++i) {
    const ShapeOp& op = shape.ops[i];
    if (op.kind == ShapeOp::Kind::close) {
      parts.pop_back();
      continue;
    }
    const bool is_leaf = op.kind == ShapeOp::Kind::leaf;
    const Leaf* const leaf = is_leaf ? &shape.leaves[op.leaf_index] : nullptr;
    if (is_leaf && !has_free_name(*leaf)) continue;
    NamePart part{std::string(is_leaf ? leaf->key : op.key), {}};
    part.masked = part.sent;
    if (std::string masked; mask_name(part.sent, masked)) {
      part.masked = masked;
      (is_leaf ? plan.keys[op.leaf_index] : plan.opened[i]) = masked;
      plan.names_change = true;
    }
    parts.push_back(std::move(part));
    if (!is_leaf) continue;
    if (std::string path = masked_path(parts, leaf->path); path != leaf->path) {
      plan.paths[op.leaf_index] = std::move(path);
      plan.names_change = true;
    }
    parts.pop_back();
  }
}

/// The path whose last parts these are; one that is none of them is looked at as a whole.
std::string RecordMasker::masked_path(const std::vector<NamePart>& parts, std::string_view path) {
  std::string sent, masked;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    sent = sent.empty() ? part->sent : part->sent + "." + sent;
    masked = masked.empty() ? part->masked : part->masked + "." + masked;
    if (sent != path) continue;
    return masked.size() <= kMaxFieldNameBytes ? masked : "***";
  }
  return mask_name(path, masked) ? masked : std::string(path);
}

const RecordMasker::StreamPlan& RecordMasker::stream_plan(const RecordBatch& batch, std::uint32_t index) {
  StreamPlan& plan = streams_[index];
  if (plan.is_known) return plan;
  plan.is_known = true;
  const Stream& stream = batch.streams()[index];
  plan.texts.resize(stream.labels.size());
  plan.is_dropped.resize(stream.labels.size());
  for (std::size_t i = 0; i < stream.labels.size(); ++i) {
    const StreamLabel& label = stream.labels[i];
    const bool is_source = label.path == kSourceName;
    if (is_source) plan.is_audit = label.value.text == kAuditSourceName;
    if (is_source) plan.is_trail = label.value.text == kTrailSourceName;
    const LeafPlan leaf = plan_leaf(std::string(label.path), is_source);
    LeafChange change;
    const auto verdict = mask_value(leaf, label.value, change);
    if (verdict == TextMasker::Verdict::changed) plan.texts[i] = std::move(change.text);
    plan.is_dropped[i] = verdict == TextMasker::Verdict::drop ? 1 : 0;
    plan.is_changed |= verdict != TextMasker::Verdict::unchanged;
  }
  return plan;
}

TextMasker::Verdict RecordMasker::mask_loose_text(std::string_view text, std::string& out) {
  const std::string_view raw = without_torn_end(text);
  if (is_json_container(raw)) {
    if (mask_json(plan_, masker_, "", 0, raw, out)) return TextMasker::Verdict::changed;
  } else {
    const std::string plain = without_idle_escapes(raw);
    const auto verdict = masker_.mask_loose(plain, out);
    if (verdict != TextMasker::Verdict::unchanged) return verdict;
  }
  if (raw.size() == text.size()) return TextMasker::Verdict::unchanged;
  out = raw;
  return TextMasker::Verdict::changed;
}

TextMasker::Verdict RecordMasker::mask_value(const LeafPlan& plan, const Value& value, LeafChange& change) {
  using Verdict = TextMasker::Verdict;
  if (plan.way == LeafPlan::Way::keep) return Verdict::unchanged;
  switch (value.type) {
    case ValueType::null:
    case ValueType::empty_object:
      return Verdict::unchanged;
    case ValueType::list:
      change.is_json = true;
      return mask_json(plan_, masker_, plan.field, plan.rules, value.text, change.text) ? Verdict::changed
                                                                                        : Verdict::unchanged;
    case ValueType::text:
    case ValueType::bytes:
      if (plan.way == LeafPlan::Way::loose) return mask_loose_text(value.text, change.text);
      if (plan.whole) return masker_.mask_whole(*plan.whole, value.text, change.text);
      if (is_json_container(value.text)) {
        // A whole log that came as the text of a body: its names are those of the record it was.
        const std::string_view field = plan.field == "body" ? std::string_view() : plan.field;
        return mask_json(plan_, masker_, field, plan.rules, value.text, change.text) ? Verdict::changed
                                                                                     : Verdict::unchanged;
      }
      return masker_.mask(plan.rules, value.text, change.text);
    default:
      break;
  }
  // Numbers, truth values and times.
  if (!plan.whole && (value.type == ValueType::boolean || !plan_.looks_at_numbers(plan.rules))) {
    return Verdict::unchanged;
  }
  const std::string_view text = value_text(value, scratch_);
  if (plan.whole) return masker_.mask_whole(*plan.whole, text, change.text);
  return masker_.mask(plan.rules, text, change.text);
}

/// True if something of the record changes; changes_ and values_ are of it then.
bool RecordMasker::mask_record(const RecordView& record) {
  const RecordBatch& batch = record.batch();
  const std::size_t row = record.index();
  const ShapePlan& plan = shape_plan(batch, batch.shape_index(row));
  const StreamPlan& stream = stream_plan(batch, batch.stream_index(row));
  bool is_changed = plan.names_change || stream.is_changed;
  values_.clear();
  changes_.resize(std::max(changes_.size(), plan.leaves.size()));
  std::size_t index = 0;
  record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
    LeafChange& change = changes_[index];
    change.is_changed = change.is_dropped = change.is_json = false;
    values_.push_back(value);
    const bool is_structure =
        (stream.is_audit && is_log_structure(leaf.path)) || (stream.is_trail && is_trail_structure(leaf.path));
    if (leaf.is_stored() && !is_structure) {
      const auto verdict = mask_value(plan.leaves[index], value, change);
      change.is_changed = verdict == TextMasker::Verdict::changed;
      change.is_dropped = verdict == TextMasker::Verdict::drop;
      is_changed |= verdict != TextMasker::Verdict::unchanged;
    }
    ++index;
    return true;
  });
  if (is_changed && plan.has_metadata_text && stream.is_audit) rebuild_metadata_text(record, plan);
  return is_changed;
}

/// `metadata_text` of an audit log repeats what lists below `metadata` hold: of the masked ones.
void RecordMasker::rebuild_metadata_text(const RecordView& record, const ShapePlan& plan) {
  const auto& leaves = record.shape().leaves;
  std::string repeated;
  std::size_t place = leaves.size();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (leaves[i].path == kMetadataTextName) place = i;
    const bool is_metadata = leaves[i].path == "metadata" || leaves[i].path.starts_with(kMetadataPrefix);
    if (!is_metadata || changes_[i].is_dropped || leaves[i].type != ValueType::list) continue;
    const std::string_view json = changes_[i].is_changed ? std::string_view(changes_[i].text) : values_[i].text;
    if (!is_hidden_from_filters(json)) continue;
    for_each_json_scalar(json, [&repeated](std::string_view text) {
      repeated.append(text).push_back('\n');
      return true;
    });
  }
  if (place == leaves.size() || plan.leaves[place].way == LeafPlan::Way::keep) return;
  LeafChange& change = changes_[place];
  // Rules for the field itself hold on top.
  const auto verdict = plan.leaves[place].whole ? masker_.mask_whole(*plan.leaves[place].whole, repeated, out_)
                                                : masker_.mask(plan.leaves[place].rules, repeated, out_);
  change.is_dropped = repeated.empty() || verdict == TextMasker::Verdict::drop;
  change.is_changed = !change.is_dropped;
  change.is_json = false;
  change.text = verdict == TextMasker::Verdict::changed ? out_ : repeated;
}

void RecordMasker::copy(BatchFiller& filler, const RecordView& record) {
  filler.builder_for(std::min(encoded_bytes_of(record), kMaxBatchBytes)).append_copy(record);
}

void RecordMasker::append(BatchFiller& filler, const RecordView& record) {
  const RecordBatch& batch = record.batch();
  const ShapePlan& plan = shape_plan(batch, batch.shape_index(record.index()));
  const StreamPlan& stream = stream_plan(batch, batch.stream_index(record.index()));
  const Shape& shape = record.shape();
  const auto bytes_of = [&] {
    std::size_t bytes = encoded_bytes_of(record);
    for (std::size_t i = 0; i < shape.leaves.size(); ++i) {
      bytes += 2 * plan.paths[i].size() + plan.keys[i].size() + (changes_[i].is_changed ? changes_[i].text.size() : 0);
    }
    for (const auto& text : stream.texts) bytes += text ? text->size() : 0;
    return bytes;
  };
  std::size_t bytes = bytes_of();
  if (bytes > kMaxBatchBytes) {
    // Many short finds made it longer than a batch may be: those fields say only that there was something.
    for (std::size_t i = 0; i < shape.leaves.size(); ++i) {
      if (!changes_[i].is_changed) continue;
      changes_[i].text = "***";
      changes_[i].is_json = false;
    }
    bytes = std::min(bytes_of(), kMaxBatchBytes);
  }
  RecordBatchBuilder& builder = filler.builder_for(bytes);
  builder.begin_record();
  builder.set_timestamp(record.timestamp());
  builder.set_severity(record.severity(), record.severity_is_from_body());
  append_ops(builder, record, plan, stream);
  builder.end_record();
}

void RecordMasker::append_ops(RecordBatchBuilder& builder, const RecordView& record, const ShapePlan& plan,
                              const StreamPlan& stream) {
  const Shape& shape = record.shape();
  const auto& labels = record.stream().labels;
  const auto label_value = [&](std::size_t i) {
    return stream.texts[i] ? value_of_string(*stream.texts[i]) : labels[i].value;
  };
  for (std::size_t op = 0; op < shape.ops.size(); ++op) {
    if (shape.ops[op].kind == ShapeOp::Kind::open) {
      builder.open_object(plan.opened[op].empty() ? shape.ops[op].key : std::string_view(plan.opened[op]));
      continue;
    }
    if (shape.ops[op].kind == ShapeOp::Kind::close) {
      builder.close_object();
      continue;
    }
    const std::size_t i = shape.ops[op].leaf_index;
    const Leaf& leaf = shape.leaves[i];
    const std::string_view path = plan.paths[i].empty() ? leaf.path : std::string_view(plan.paths[i]);
    const std::string_view key = plan.keys[i].empty() ? leaf.key : std::string_view(plan.keys[i]);
    if (!leaf.is_stored()) {
      const auto label = std::ranges::find(labels, leaf.path, &StreamLabel::path);
      const auto place = static_cast<std::size_t>(label - labels.begin());
      if (stream.is_dropped[place] == 0) builder.add_leaf(leaf.role, path, key, label_value(place));
      continue;
    }
    const LeafChange& change = changes_[i];
    if (change.is_dropped) continue;
    if (!change.is_changed) {
      builder.add_leaf(leaf.role, path, key, values_[i]);
    } else {
      builder.add_leaf(leaf.role, path, key,
                       change.is_json ? Value::of_list(change.text) : value_of_string(change.text));
    }
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    // Those that are among the record's members stand in the stream by now.
    const bool is_member = std::ranges::any_of(
        shape.leaves, [&](const Leaf& leaf) { return !leaf.is_stored() && leaf.path == labels[i].path; });
    if (is_member || stream.is_dropped[i] != 0) continue;
    std::string masked;
    const bool is_named = labels[i].path != kSourceName && mask_name(labels[i].path, masked);
    builder.add_label(is_named ? std::string_view(masked) : labels[i].path, label_value(i));
  }
}

}  // namespace dendro
