#include "query/edit/record_rewriter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "record/limits.h"
#include "record/severity.h"

namespace dendro {
namespace {

/// A batch of derived records is closed at this size.
constexpr std::size_t kDerivedBatchBytes = std::size_t{2} << 20;

constexpr std::array<std::pair<std::string_view, LeafRole>, 8> kRoleNames = {{
    {"body", LeafRole::body},
    {"severity_text", LeafRole::severity_text},
    {"trace_id", LeafRole::trace_id},
    {"span_id", LeafRole::span_id},
    {"flags", LeafRole::flags},
    {"event_name", LeafRole::event_name},
    {"scope.name", LeafRole::scope_name},
    {"scope.version", LeafRole::scope_version},
}};

LeafRole role_of_name(std::string_view name) {
  for (const auto& [known, role] : kRoleNames) {
    if (known == name) return role;
  }
  return LeafRole::attribute;
}

bool is_severity_edit(std::string_view name) {
  return name == "severity" || name == "severity_number";
}

/// True if the leaf is what the field of this very name reads, and so goes when it gets a value.
bool is_replaced_by(const Leaf& leaf, std::string_view name) {
  switch (leaf.role) {
    case LeafRole::attribute:
      return leaf.path == name;
    case LeafRole::body:
      return name == "body";
    case LeafRole::body_part:
      return name == "body" || leaf.path == name ||
             (name.starts_with("body.") && leaf.path == name.substr(std::string_view("body.").size()));
    case LeafRole::severity:
    case LeafRole::severity_text:
      return name == "severity" || name == "severity_text" || name == "severity_number";
    case LeafRole::resource:
    case LeafRole::timestamp:
    case LeafRole::observed:
      return false;
    default:
      return role_of_name(name) == leaf.role;
  }
}

/// Name under which answers print a leaf.
std::string output_name(const Leaf& leaf) {
  if (leaf.role == LeafRole::body_part) return "body." + std::string(leaf.path);
  if (leaf.role == LeafRole::severity) return "severity_text";
  return std::string(leaf.path);
}

void mark_place(const FieldName& field, const Shape& shape, std::vector<bool>& kept) {
  for (const bool has_severity : {false, true}) {
    for (const std::uint32_t leaf : FieldReader::find_in_shape(field, shape, has_severity).leaves) kept[leaf] = true;
  }
}

std::vector<FieldName> exact_fields(const std::vector<NamePattern>& names) {
  std::vector<FieldName> fields;
  for (const NamePattern& name : names) {
    if (!name.is_prefix) fields.push_back(resolve_field_name(name.name));
  }
  return fields;
}

}  // namespace

RecordRewriter::RecordRewriter(const RowShape& input, FieldNeed need)
    : input_(input),
      need_(std::move(need)),
      needed_fields_(exact_fields(need_.names)),
      kept_fields_(exact_fields(input_.kept_names())),
      builder_(Timestamp()) {}

void RecordRewriter::start_batch(const RecordBatch& batch) {
  batch_serial_ = batch.serial();
  recipes_.clear();
  streams_.clear();
}

void RecordRewriter::add(const RecordRow& row, const RowEdits& edits) {
  if (builder_.encoded_bytes() > kDerivedBatchBytes || builder_.records() >= kMaxBatchRecords) close();
  if (batch_serial_ != row.batch->serial()) start_batch(*row.batch);
  const Recipe& recipe = recipe_for(row, edits);
  const std::uint32_t stream = stream_for(row, recipe);
  const RecordView record = row.record();
  const std::vector<Leaf>& leaves = record.shape().leaves;
  values_.assign(leaves.size(), Value());
  record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
    values_[static_cast<std::size_t>(&leaf - leaves.data())] = value;
    return true;
  });
  SeverityNumber severity = recipe.loses_severity ? kSeverityUnset : record.severity();
  if (recipe.severity) severity = severity_of_value(edits.list()[*recipe.severity].value).value_or(kSeverityUnset);
  const bool keeps_mark = record.severity_is_from_body() && !recipe.severity && !recipe.loses_severity;
  builder_.begin_formed(record.timestamp(), severity, keeps_mark);
  for (const Recipe::Part& part : recipe.parts)
    builder_.add_value(part.role, part.is_edit ? edits.list()[part.index].value : values_[part.index]);
  RecordRow derived = row;
  derived.batch = nullptr;
  derived.row = static_cast<std::uint32_t>(builder_.records());
  builder_.end_formed(recipe.shape, stream);
  waiting_.push_back(derived);
}

const RecordRewriter::Recipe& RecordRewriter::recipe_for(const RecordRow& row, const RowEdits& edits) {
  key_.clear();
  append_le(key_, row.batch->shape_index(row.row));
  append_le(key_, row.batch->stream_index(row.row));
  for (const RowEdits::Edit& edit : edits.list()) {
    append_sized(key_, edit.name);
    key_.push_back(static_cast<char>(edit.value.type));
    // Whether a value is a severity decides where it stands.
    if (is_severity_edit(edit.name)) key_.push_back(severity_of_value(edit.value) ? '\1' : '\0');
  }
  const auto known = recipes_.find(key_);
  if (known != recipes_.end()) return known->second;
  return recipes_.emplace(key_, make_recipe(row, edits)).first->second;
}

RecordRewriter::Recipe RecordRewriter::make_recipe(const RecordRow& row, const RowEdits& edits) {
  Recipe recipe;
  const Shape& shape = row.record().shape();
  std::vector<bool> kept = leaves_to_copy(shape);
  std::vector<std::optional<std::uint32_t>> replaced(shape.leaves.size());
  for (std::uint32_t i = 0; i < edits.list().size(); ++i) {
    if (is_needed(edits.list()[i])) add_edit(recipe, row, edits.list()[i], i, kept, replaced);
  }
  std::vector<Recipe::Part> behind = std::move(recipe.parts);
  recipe.parts.clear();
  for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
    if (replaced[i]) {
      recipe.parts.push_back({*replaced[i], true, role_of_name(edits.list()[*replaced[i]].name)});
    } else if (kept[i]) {
      recipe.parts.push_back({i, false, shape.leaves[i].role});
    }
  }
  recipe.parts.insert(recipe.parts.end(), behind.begin(), behind.end());
  std::sort(recipe.lost_labels.begin(), recipe.lost_labels.end());
  recipe.shape = intern_shape(*row.batch, row.batch->shape_index(row.row), recipe, edits);
  return recipe;
}

/// Finds what the edit replaces; a value without a place of its own goes to the end.
void RecordRewriter::add_edit(Recipe& recipe, const RecordRow& row, const RowEdits::Edit& edit, std::uint32_t index,
                              std::vector<bool>& kept, std::vector<std::optional<std::uint32_t>>& replaced) {
  const Shape& shape = row.record().shape();
  const bool is_removal = edit.value.is_missing();
  bool has_place = is_severity_edit(edit.name) && severity_of_value(edit.value).has_value();
  bool was_found = has_place;
  if (is_severity_edit(edit.name)) {
    was_found = row.record().severity() != kSeverityUnset;
    if (has_place) recipe.severity = index;
    recipe.loses_severity = !has_place;
  }
  const LeafRole role = role_of_name(edit.name);
  for (std::uint32_t i = 0; i < shape.leaves.size(); ++i) {
    const Leaf& leaf = shape.leaves[i];
    if (leaf.type == ValueType::null || !is_replaced_by(leaf, edit.name)) continue;
    was_found = true;
    kept[i] = false;
    if (is_removal || has_place || leaf.role != role || replaced[i]) continue;
    replaced[i] = index;
    has_place = true;
  }
  if (!is_removal) {
    // A word that is no severity stays readable as text.
    if (!has_place) recipe.parts.push_back({index, true, is_severity_edit(edit.name) ? LeafRole::severity_text : role});
    return;
  }
  const Stream& stream = row.record().stream();
  if (stream.find(edit.name) != nullptr) {
    recipe.lost_labels.emplace_back(edit.name);
    was_found = true;
  }
  if (was_found) return;
  // Known by an alias only: what that finds goes.
  const FieldName field = resolve_field_name(edit.name);
  const auto in_shape = FieldReader::find_in_shape(field, shape, row.record().severity() != kSeverityUnset);
  const auto in_stream = FieldReader::find_in_stream(field, stream);
  if (in_stream.rank < in_shape.rank) {
    recipe.lost_labels.emplace_back(stream.labels[in_stream.label_index].path);
  } else if (!in_shape.is_missing()) {
    if (in_shape.kind == FieldKind::severity) recipe.loses_severity = true;
    for (const std::uint32_t leaf : in_shape.leaves) kept[leaf] = false;
  }
}

/// False: nobody behind this pipe reads what the edit sets.
bool RecordRewriter::is_needed(const RowEdits::Edit& edit) const {
  if (need_.is_all || edit.name.starts_with("severity")) return true;
  const LeafRole role = role_of_name(edit.name);
  const auto reads = [&](const FieldCandidate& candidate) {
    return candidate.path == edit.name || (role != LeafRole::attribute && candidate.role == role);
  };
  const auto is_read = [&](const FieldName& field) {
    return std::any_of(field.candidates.begin(), field.candidates.end(), reads);
  };
  return std::any_of(needed_fields_.begin(), needed_fields_.end(), is_read) ||
         std::any_of(need_.names.begin(), need_.names.end(),
                     [&edit](const NamePattern& name) { return name.matches(edit.name); });
}

std::vector<bool> RecordRewriter::leaves_to_copy(const Shape& shape) const {
  std::vector<bool> needed(shape.leaves.size(), need_.is_all);
  for (const FieldName& field : needed_fields_) mark_place(field, shape, needed);
  std::vector<bool> named(shape.leaves.size(), false);
  for (const FieldName& field : kept_fields_) mark_place(field, shape, named);
  std::vector<bool> kept(shape.leaves.size(), false);
  for (std::size_t i = 0; i < shape.leaves.size(); ++i) {
    const Leaf& leaf = shape.leaves[i];
    if (!leaf.is_stored() || leaf.type == ValueType::null || leaf.role == LeafRole::timestamp) continue;
    const std::string name = output_name(leaf);
    const bool is_body_part = leaf.role == LeafRole::body_part;
    const auto matches = [&](const NamePattern& pattern) {
      return pattern.matches(name) || (is_body_part && (pattern.matches(leaf.path) || pattern.matches("body")));
    };
    const bool is_visible = named[i] || input_.projections.empty() || input_.is_visible(name) ||
                            (is_body_part && (input_.is_visible(leaf.path) || input_.is_visible("body")));
    const bool is_needed =
        needed[i] || leaf.role == LeafRole::observed || std::any_of(need_.names.begin(), need_.names.end(), matches);
    kept[i] = is_visible && is_needed;
  }
  return kept;
}

/// A flat shape: each leaf under its path.
std::uint32_t RecordRewriter::intern_shape(const RecordBatch& batch, std::uint32_t shape_index, const Recipe& recipe,
                                           const RowEdits& edits) {
  const Shape& from = batch.shapes()[shape_index];
  Shape shape;
  for (const Recipe::Part& part : recipe.parts) {
    Leaf leaf;
    leaf.role = part.role;
    if (part.is_edit) {
      leaf.type = edits.list()[part.index].value.type;
      leaf.path = leaf.key = edits.list()[part.index].name;
      if (part.role == LeafRole::severity_text) leaf.path = leaf.key = "severity_text";
    } else {
      leaf.type = from.leaves[part.index].type;
      leaf.path = leaf.key = from.leaves[part.index].path;
    }
    ShapeOp op;
    op.leaf_index = static_cast<std::uint32_t>(shape.leaves.size());
    shape.leaves.push_back(leaf);
    shape.ops.push_back(op);
  }
  return builder_.add_shape(shape);
}

std::uint32_t RecordRewriter::stream_for(const RecordRow& row, const Recipe& recipe) {
  key_.clear();
  append_le(key_, row.batch->stream_index(row.row));
  for (const std::string& label : recipe.lost_labels) append_sized(key_, label);
  const auto known = streams_.find(key_);
  if (known != streams_.end()) return known->second;
  Stream stream = row.record().stream();
  std::erase_if(stream.labels, [&recipe](const StreamLabel& label) {
    return std::binary_search(recipe.lost_labels.begin(), recipe.lost_labels.end(), label.path);
  });
  return streams_.emplace(key_, builder_.add_stream(stream)).first->second;
}

void RecordRewriter::close() {
  if (builder_.empty()) return;
  const std::shared_ptr<const RecordBatch> batch = builder_.finish();
  for (RecordRow& row : waiting_) {
    row.batch = batch.get();
    rows_.push_back(row);
  }
  waiting_.clear();
  closed_bytes_ += batch->encoded().size();
  batches_.push_back(batch);
  batch_serial_ = 0;  // shapes and streams are numbered anew
}

void RecordRewriter::take(RowBatch& out) {
  close();
  out.records.insert(out.records.end(), rows_.begin(), rows_.end());
  for (const auto& batch : batches_) out.hold(batch);
  rows_.clear();
  batches_.clear();
  closed_bytes_ = 0;
}

std::size_t RecordRewriter::pending_bytes() const {
  return closed_bytes_ + builder_.encoded_bytes();
}

}  // namespace dendro
