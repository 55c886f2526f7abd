#include "parse/record_mapper.h"

#include <algorithm>

#include "base/json_writer.h"
#include "parse/body_severity.h"
#include "parse/field_time.h"

namespace dendro {
namespace {

constexpr std::string_view kTimeTextPath = "dendro.time_text";
constexpr std::string_view kMorePath = "dendro.more";
constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kSpanIdDigits = 16;

bool is_hex_id(std::string_view text, std::size_t digits) {
  if (text.size() != digits) return false;
  bool has_more_than_zeros = false;
  for (const char c : text) {
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!is_hex) return false;
    has_more_than_zeros = has_more_than_zeros || c != '0';
  }
  return has_more_than_zeros;
}

/// Syslog's 0 to 7 (clients.md 8.2).
std::optional<SeverityNumber> severity_of_syslog(const Value& value) {
  constexpr SeverityNumber kNumbers[] = {23, 22, 21, 17, 13, 10, 9, 5};
  if (value.type == ValueType::int64 && value.integer >= 0 && value.integer < 8) return kNumbers[value.integer];
  if (value.type != ValueType::text) return std::nullopt;
  if (value.text.size() == 1 && value.text[0] >= '0' && value.text[0] < '8') return kNumbers[value.text[0] - '0'];
  return severity_of_word(value.text);
}

std::optional<SeverityNumber> severity_of_form(const Value& value, SeverityForm form) {
  switch (form) {
    case SeverityForm::word:
      return severity_of_value(value);
    case SeverityForm::word_only:
      return value.type == ValueType::text ? severity_of_word(value.text) : std::nullopt;
    case SeverityForm::syslog:
      return severity_of_syslog(value);
    case SeverityForm::number:
      if (value.type != ValueType::int64 || value.integer < 1 || value.integer > kSeverityMax) return std::nullopt;
      return static_cast<SeverityNumber>(value.integer);
  }
  return std::nullopt;
}

/// Path of a leaf that became a part; empty where the leaf keeps its own.
std::string_view part_path(LeafRole role) {
  switch (role) {
    case LeafRole::timestamp:
      return "_time";
    case LeafRole::body:
      return "body";
    case LeafRole::severity:
      return "severity";
    case LeafRole::severity_text:
      return "severity_text";
    case LeafRole::trace_id:
      return "trace_id";
    case LeafRole::span_id:
      return "span_id";
    default:
      return {};
  }
}

std::string seconds_text(std::int64_t nanos) {
  return std::to_string(nanos / kNanosPerSecond) + " s";
}

}  // namespace

RecordMapper::RecordMapper(const MappingOptions& options, BatchFiller& filler, const RecordWish* wish)
    : options_(options), filler_(filler), wish_(wish), names_(options), planner_(names_, options.limits, wish) {
  for (const auto& [path, value] : options.labels) label_bytes_ += path.size() + value.size() + 32;
}

const Value& RecordMapper::value_of(const RecordPlan& plan, const PlanCandidate& candidate,
                                    const std::vector<JsonNode>& nodes) const {
  return nodes[plan.steps[candidate.step].node].value;
}

/// A leaf that is no part yet.
bool RecordMapper::is_free(std::uint32_t step) const {
  return roles_[step] == LeafRole::attribute || roles_[step] == LeafRole::resource;
}

std::optional<RejectCause> RecordMapper::add_object(const std::vector<JsonNode>& nodes, std::size_t raw_bytes) {
  return add_fields(nodes, raw_bytes, raw_bytes);
}

std::optional<RejectCause> RecordMapper::check_size(std::size_t raw_bytes) const {
  if (raw_bytes <= options_.limits.record_bytes) return std::nullopt;
  return RejectCause{RejectReason::record_too_large, "record of " + std::to_string(raw_bytes) +
                                                         " bytes, the limit is " +
                                                         std::to_string(options_.limits.record_bytes)};
}

std::optional<RejectCause> RecordMapper::choose_parts(const RecordPlan& plan, const std::vector<JsonNode>& nodes) {
  roles_.assign(plan.roles.begin(), plan.roles.end());
  body_value_ = Value::of_null();
  if (auto cause = choose_time(plan, nodes)) return cause;
  choose_id(plan, nodes, RecordPart::trace_id, LeafRole::trace_id, kTraceIdDigits);
  choose_id(plan, nodes, RecordPart::span_id, LeafRole::span_id, kSpanIdDigits);
  choose_severity(plan, nodes);
  choose_body(plan, nodes);
  find_severity_in(body_value_);
  return std::nullopt;
}

std::optional<RejectCause> RecordMapper::add_fields(const std::vector<JsonNode>& nodes, std::size_t raw_bytes,
                                                    std::size_t field_bytes) {
  if (auto cause = check_size(raw_bytes)) return cause;
  const RecordPlan& plan = planner_.plan_for(nodes);
  if (plan.has_long_name) {
    return RejectCause{RejectReason::name_too_long, "field name over " + std::to_string(options_.limits.name_bytes) +
                                                        " bytes: " + plan.long_name + "..."};
  }
  if (auto cause = choose_parts(plan, nodes)) return cause;

  std::string more;
  kept_.clear();
  const bool is_overfull = plan.leaf_count > options_.limits.fields;
  if (is_overfull && !split_overfull(plan, nodes, more)) {
    return RejectCause{RejectReason::record_too_large,
                       std::to_string(plan.leaf_count) + " fields, too large for dendro.more"};
  }
  const bool is_whole = !leaves_out() || searches() || is_overfull || wants_whole(plan);
  RecordBatchBuilder& builder =
      filler_.builder_for(field_bytes + plan.encoded_bytes_max + label_bytes_ + more.size() + 256);
  builder.begin_record();
  builder.set_timestamp(timestamp_);
  if (is_whole) {
    emit(builder, plan, nodes);
  } else {
    emit_wished(builder, plan, nodes, {});
  }
  if (!more.empty()) builder.add_leaf(LeafRole::attribute, kMorePath, kMorePath, Value::of_text(more));
  finish(builder);
  return std::nullopt;
}

RecordPlan RecordMapper::plan_of(const std::vector<JsonNode>& nodes) const {
  RecordPlan plan = planner_.make_plan(nodes);
  plan.whole_in_batch = filler_.batch_number();  // add_object has seen to it
  return plan;
}

bool RecordMapper::wants_whole(const RecordPlan& plan) {
  if (wish_ == nullptr || plan.whole_in_batch == filler_.batch_number()) return false;
  plan.whole_in_batch = filler_.batch_number();
  return true;
}

std::optional<RejectCause> RecordMapper::add_planned(const RecordPlan& plan, const std::vector<JsonNode>& nodes,
                                                     std::size_t raw_bytes, std::span<const std::uint32_t> searched) {
  if (auto cause = check_size(raw_bytes)) return cause;
  if (auto cause = choose_parts(plan, nodes)) return cause;
  RecordBatchBuilder& builder = filler_.builder_for(raw_bytes + plan.encoded_bytes_max + label_bytes_ + 256);
  builder.begin_record();
  builder.set_timestamp(timestamp_);
  emit_wished(builder, plan, nodes, searched);
  finish(builder);
  return std::nullopt;
}

std::optional<RejectCause> RecordMapper::add_blank(const RecordPlan& plan, const std::vector<JsonNode>& nodes,
                                                   std::size_t raw_bytes) {
  if (auto cause = check_size(raw_bytes)) return cause;
  roles_.assign(plan.roles.begin(), plan.roles.end());
  if (auto cause = choose_time(plan, nodes)) return cause;
  severity_ = kSeverityUnset;
  severity_from_body_ = false;
  RecordBatchBuilder& builder = filler_.builder_for(label_bytes_ + 256);
  builder.begin_record();
  builder.set_timestamp(timestamp_);
  finish(builder);
  return std::nullopt;
}

std::optional<RejectCause> RecordMapper::add_line(std::string_view line, std::optional<Timestamp> time) {
  if (line.size() > options_.limits.record_bytes) {
    return RejectCause{RejectReason::record_too_large, "line of " + std::to_string(line.size()) +
                                                           " bytes, the limit is " +
                                                           std::to_string(options_.limits.record_bytes)};
  }
  severity_ = kSeverityUnset;
  severity_from_body_ = false;
  const Value body = value_of_string(line);
  find_severity_in(body);
  RecordBatchBuilder& builder = filler_.builder_for(line.size() + label_bytes_ + 256);
  builder.begin_record();
  if (time) builder.set_timestamp(*time);
  if (!leaves_out() || searches() || wish_->has_role(LeafRole::body))
    builder.add_leaf(LeafRole::body, "body", "body", body);
  finish(builder);
  return std::nullopt;
}

void RecordMapper::finish(RecordBatchBuilder& builder) {
  builder.set_severity(severity_, severity_from_body_);
  for (const auto& [path, value] : options_.labels) builder.add_label(path, value_of_string(value));
  builder.end_record();
}

std::optional<RejectCause> RecordMapper::choose_time(const RecordPlan& plan, const std::vector<JsonNode>& nodes) {
  timestamp_ = filler_.receive_time();
  time_text_step_.reset();
  for (const PlanCandidate& candidate : plan.candidates_of(RecordPart::timestamp)) {
    const Value& value = value_of(plan, candidate, nodes);
    if (value.is_missing()) continue;
    if (const auto time = time_of_value(value, options_.default_offset_s)) {
      timestamp_ = *time;
      roles_[candidate.step] = LeafRole::timestamp;
      if (auto cause = check_time()) return cause;
      last_time_ = timestamp_;
      return std::nullopt;
    }
    time_text_step_ = candidate.step;
    roles_[candidate.step] = LeafRole::attribute;
    break;
  }
  return std::nullopt;
}

std::optional<RejectCause> RecordMapper::check_time() const {
  std::int64_t lead = 0;
  if (__builtin_sub_overflow(timestamp_.number(), filler_.receive_time().number(), &lead)) {
    lead = timestamp_ > filler_.receive_time() ? kTimestampMax.number() : kTimestampMin.number();
  }
  if (lead / kNanosPerSecond >= options_.lead_max.count() && lead > options_.lead_max.count() * kNanosPerSecond) {
    return RejectCause{RejectReason::too_new, to_rfc3339(timestamp_) + " is " + seconds_text(lead) +
                                                  " ahead, the limit is " + std::to_string(options_.lead_max.count()) +
                                                  " s"};
  }
  if (options_.age_max && lead / kNanosPerSecond <= -options_.age_max->count() &&
      lead < -options_.age_max->count() * kNanosPerSecond) {
    return RejectCause{RejectReason::too_old, to_rfc3339(timestamp_) + " is " + seconds_text(-(lead + 1)) +
                                                  " old, the retention is " +
                                                  std::to_string(options_.age_max->count()) + " s"};
  }
  return std::nullopt;
}

void RecordMapper::choose_severity(const RecordPlan& plan, const std::vector<JsonNode>& nodes) {
  severity_ = kSeverityUnset;
  severity_from_body_ = false;
  std::optional<std::uint32_t> first_text;
  bool wants_text = true;
  for (const PlanCandidate& candidate : plan.candidates_of(RecordPart::severity)) {
    const Value& value = value_of(plan, candidate, nodes);
    if (value.is_missing() || !is_free(candidate.step)) continue;
    const bool is_text = value.type == ValueType::text;
    if (severity_ == kSeverityUnset) {
      if (const auto number = severity_of_form(value, candidate.claim.form)) {
        severity_ = *number;
        roles_[candidate.step] = LeafRole::severity;
        wants_text = candidate.claim.form == SeverityForm::number;
        continue;
      }
    }
    if (is_text && !first_text && candidate.claim.form != SeverityForm::word_only) first_text = candidate.step;
  }
  if (wants_text && first_text) roles_[*first_text] = LeafRole::severity_text;
}

void RecordMapper::choose_id(const RecordPlan& plan, const std::vector<JsonNode>& nodes, RecordPart part, LeafRole role,
                             std::size_t digits) {
  for (const PlanCandidate& candidate : plan.candidates_of(part)) {
    const Value& value = value_of(plan, candidate, nodes);
    if (value.type != ValueType::text || !is_hex_id(value.text, digits) || !is_free(candidate.step)) continue;
    roles_[candidate.step] = role;
    return;
  }
}

void RecordMapper::choose_body(const RecordPlan& plan, const std::vector<JsonNode>& nodes) {
  for (const PlanCandidate& candidate : plan.candidates_of(RecordPart::body)) {
    if (candidate.last_step != candidate.step) {
      body_ = {candidate.step, candidate.last_step, plan.steps[candidate.step].path.size() + 1, true};
      for (std::uint32_t step = candidate.step + 1; step < candidate.last_step; ++step) {
        if (plan.steps[step].kind == JsonNode::Kind::leaf && is_free(step)) roles_[step] = LeafRole::body_part;
      }
      return;
    }
    const Value& value = value_of(plan, candidate, nodes);
    if (value.is_missing() || !is_free(candidate.step)) continue;
    roles_[candidate.step] = LeafRole::body;
    body_value_ = value;
    return;
  }
}

void RecordMapper::find_severity_in(const Value& body) {
  if (severity_ != kSeverityUnset || body.type != ValueType::text) return;
  if (leaves_out() && !wish_->severity) return;
  severity_ = severity_in_body(body.text);
  severity_from_body_ = severity_ != kSeverityUnset;
}

void RecordMapper::emit(RecordBatchBuilder& builder, const RecordPlan& plan, const std::vector<JsonNode>& nodes) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (!kept_.empty() && kept_[i] == 0) continue;
    const PlanStep& step = plan.steps[i];
    const JsonNode& node = nodes[step.node];
    switch (step.kind) {
      case JsonNode::Kind::leaf:
        emit_leaf(builder, step, i, node);
        break;
      case JsonNode::Kind::open:
        builder.open_object(node.key);
        break;
      case JsonNode::Kind::close:
        builder.close_object();
        break;
    }
  }
}

void RecordMapper::emit_wished(RecordBatchBuilder& builder, const RecordPlan& plan, const std::vector<JsonNode>& nodes,
                               std::span<const std::uint32_t> searched) {
  const auto is_wished = [&](std::uint32_t i) {
    const LeafRole role = roles_[i];
    const bool is_own_part = role != LeafRole::attribute && role != LeafRole::resource && role != LeafRole::body_part;
    const bool is_time_text = time_text_step_ && *time_text_step_ == i;
    return is_own_part ? wish_->has_role(role)
                       : plan.is_wished[i] != 0 || (is_time_text && wish_->has_path(kTimeTextPath));
  };
  const auto emit_step = [&](std::uint32_t i) { emit_leaf(builder, plan.steps[i], i, nodes[plan.steps[i].node]); };
  auto found = searched.begin();
  for (const std::uint32_t i : plan.looked_at) {
    for (; found != searched.end() && *found < i; ++found) emit_step(*found);
    const bool is_found = found != searched.end() && *found == i;
    if (is_found) ++found;
    if (is_found || is_wished(i)) emit_step(i);
  }
  for (; found != searched.end(); ++found) emit_step(*found);
}

void RecordMapper::emit_leaf(RecordBatchBuilder& builder, const PlanStep& step, std::size_t index,
                             const JsonNode& node) {
  const LeafRole role = roles_[index];
  if (role == LeafRole::attribute || role == LeafRole::resource) {
    const bool is_time_text = time_text_step_ && *time_text_step_ == index;
    builder.add_leaf(role, is_time_text ? kTimeTextPath : std::string_view(step.path), node.key, node.value);
  } else if (role == LeafRole::body_part) {
    builder.add_leaf(role, std::string_view(step.path).substr(body_.prefix_bytes), node.key, node.value);
  } else {
    const Value value = role == LeafRole::timestamp ? as_time_value(node.value, timestamp_) : node.value;
    builder.add_leaf(role, part_path(role), node.key, value);
  }
}

bool RecordMapper::split_overfull(const RecordPlan& plan, const std::vector<JsonNode>& nodes, std::string& more) {
  // Leaves that became a part always stay; of the others the first ones, up to the limit with dendro.more itself.
  std::size_t parts = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const bool is_leaf = plan.steps[i].kind == JsonNode::Kind::leaf;
    if (is_leaf && !(is_free(static_cast<std::uint32_t>(i)) || roles_[i] == LeafRole::body_part)) ++parts;
  }
  std::size_t room = options_.limits.fields - std::min(options_.limits.fields, parts + 1);
  kept_.assign(plan.steps.size(), 0);
  std::vector<std::size_t> opens;  // of the step at hand
  std::size_t opens_kept = 0;      // of opens, that have a kept leaf
  std::size_t opens_in_more = 0;   // of opens, that stand open in `more`
  JsonWriter json(more);
  json.begin_object();
  std::string scratch;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    const JsonNode& node = nodes[step.node];
    if (step.kind == JsonNode::Kind::open) {
      opens.push_back(i);
    } else if (step.kind == JsonNode::Kind::close) {
      kept_[i] = kept_[opens.back()];
      opens.pop_back();
      opens_kept = std::min(opens_kept, opens.size());
      if (opens_in_more > opens.size()) {
        json.end_object();
        opens_in_more = opens.size();
      }
    } else {
      const bool is_part = !is_free(static_cast<std::uint32_t>(i)) && roles_[i] != LeafRole::body_part;
      if (is_part || (room > 0 && !step.path.empty())) {
        if (!is_part) --room;
        kept_[i] = 1;
        for (; opens_kept < opens.size(); ++opens_kept) kept_[opens[opens_kept]] = 1;
        continue;
      }
      for (; opens_in_more < opens.size(); ++opens_in_more) {
        json.key(nodes[plan.steps[opens[opens_in_more]].node].key);
        json.begin_object();
      }
      scratch.clear();
      append_value_json(scratch, node.value);
      json.key(node.key);
      json.raw(scratch);
    }
  }
  json.end_object();
  return more.size() <= options_.limits.record_bytes;
}

}  // namespace dendro
