#include "services/alerts/alert_rule.h"

#include <charconv>
#include <cmath>

#include "base/json_writer.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

Error bad_member(std::string_view member, const std::string& what) {
  return Error(ErrorCode::invalid_argument, std::string(member) + ": " + what);
}

Result<std::string> text_member(const JsonValue& value, std::string_view name, std::size_t bytes_max) {
  if (!value.is_string()) return bad_member(name, "must be a text, not " + std::string(value.kind_text()));
  const std::string_view text = *value.as_string();
  if (text.size() <= bytes_max) return std::string(text);
  return Error(ErrorCode::too_large, std::string(name) + ": has " + std::to_string(text.size()) + " bytes, at most " +
                                         std::to_string(bytes_max) + " are taken");
}

Result<std::chrono::seconds> span_member(const JsonValue& value, std::string_view name, std::chrono::seconds min,
                                         std::chrono::seconds max) {
  std::optional<std::chrono::seconds> span;
  if (value.is_string()) span = parse_alert_span(*value.as_string());
  if (const auto number = value.as_int()) span = std::chrono::seconds(*number);
  if (!span) return bad_member(name, "must be a time such as 30s, 5m or 1h");
  if (*span >= min && *span <= max) return *span;
  return bad_member(name, "must be from " + alert_span_text(min) + " to " + alert_span_text(max));
}

Result<double> number_member(const JsonValue& value, std::string_view name) {
  const auto number = value.as_double();
  if (!number || !std::isfinite(*number)) return bad_member(name, "must be a number");
  return *number;
}

Result<AlertCondition> parse_condition(const JsonValue& document) {
  constexpr std::string_view kForms =
      R"(must be one of {"rows_above":n}, {"column":c,"above":n}, {"column":c,"below":n}, {"new_value_of":field,"days":d})";
  if (!document.is_object()) return bad_member("condition", std::string(kForms));
  const JsonValue* const rows = document.find("rows_above");
  const JsonValue* const column = document.find("column");
  const JsonValue* const field = document.find("new_value_of");
  AlertCondition condition;
  if (rows != nullptr && document.members().size() == 1) {
    DENDRO_TRY_ASSIGN(condition.threshold, number_member(*rows, "condition.rows_above"));
    return condition;
  }
  if (column != nullptr && document.members().size() == 2) {
    condition.kind = AlertCondition::Kind::column;
    DENDRO_TRY_ASSIGN(condition.name, text_member(*column, "condition.column", kAlertLabelBytesMax));
    const JsonValue* const above = document.find("above");
    const JsonValue* const below = document.find("below");
    if (above == nullptr && below == nullptr) return bad_member("condition", std::string(kForms));
    condition.side = above != nullptr ? AlertCondition::Side::above : AlertCondition::Side::below;
    DENDRO_TRY_ASSIGN(condition.threshold, number_member(above != nullptr ? *above : *below, "condition.above"));
    return condition;
  }
  if (field != nullptr) {
    condition.kind = AlertCondition::Kind::new_value;
    DENDRO_TRY_ASSIGN(condition.name, text_member(*field, "condition.new_value_of", kAlertLabelBytesMax));
    const JsonValue* const days = document.find("days");
    if (document.members().size() != (days == nullptr ? 1u : 2u)) return bad_member("condition", std::string(kForms));
    const auto count = days == nullptr ? std::optional<std::int64_t>(condition.days) : days->as_int();
    if (!count || *count < 1 || *count > kAlertNewDaysMax) {
      return bad_member("condition.days", "must be a whole number from 1 to " + std::to_string(kAlertNewDaysMax));
    }
    condition.days = static_cast<int>(*count);
    return condition;
  }
  return bad_member("condition", std::string(kForms));
}

Result<std::vector<std::string>> parse_receivers(const JsonValue& list) {
  std::vector<std::string> names;
  if (!list.is_array()) return bad_member("receivers", "must be a list of names");
  for (const JsonValue& element : list.elements()) {
    DENDRO_TRY_ASSIGN(std::string name, text_member(element, "receivers", kAlertNameBytesMax));
    names.push_back(std::move(name));
  }
  if (names.size() > kAlertReceiversMax) {
    return Error(ErrorCode::too_large, "receivers: at most " + std::to_string(kAlertReceiversMax));
  }
  return names;
}

Status take_member(const std::string& name, const JsonValue& value, AlertRule& rule) {
  if (name == "name") {
    DENDRO_TRY_ASSIGN(rule.name, text_member(value, name, kAlertNameBytesMax));
  } else if (name == "query") {
    DENDRO_TRY_ASSIGN(rule.query, text_member(value, name, kAlertQueryBytesMax));
  } else if (name == "every") {
    DENDRO_TRY_ASSIGN(rule.every, span_member(value, name, kAlertEveryMin, kAlertEveryMax));
  } else if (name == "range") {
    DENDRO_TRY_ASSIGN(rule.range, span_member(value, name, std::chrono::seconds(1), kAlertRangeMax));
  } else if (name == "for") {
    DENDRO_TRY_ASSIGN(rule.pending_for, span_member(value, name, std::chrono::seconds(0), kAlertEveryMax));
  } else if (name == "condition") {
    DENDRO_TRY_ASSIGN(rule.condition, parse_condition(value));
  } else if (name == "labels") {
    DENDRO_TRY_ASSIGN(rule.labels, parse_labels(value, name));
  } else if (name == "annotations") {
    DENDRO_TRY_ASSIGN(rule.annotations, parse_labels(value, name));
  } else if (name == "receivers") {
    DENDRO_TRY_ASSIGN(rule.receivers, parse_receivers(value));
  } else if (name == "enabled") {
    if (!value.as_bool()) return bad_member(name, "must be true or false");
    rule.is_enabled = *value.as_bool();
  } else {
    return bad_member(name,
                      "there is no such member; known are name, query, every, range, for, condition, labels, "
                      "annotations, receivers, enabled");
  }
  return {};
}

void write_labels(JsonWriter& json, const AlertLabels& labels) {
  json.begin_object();
  for (const auto& [name, value] : labels) json.member(name, value);
  json.end_object();
}

void write_condition(JsonWriter& json, const AlertCondition& condition) {
  json.begin_object();
  switch (condition.kind) {
    case AlertCondition::Kind::rows:
      json.member("rows_above", condition.threshold);
      break;
    case AlertCondition::Kind::column:
      json.member("column", condition.name);
      json.member(condition.side == AlertCondition::Side::above ? "above" : "below", condition.threshold);
      break;
    case AlertCondition::Kind::new_value:
      json.member("new_value_of", condition.name);
      json.member("days", condition.days);
      break;
  }
  json.end_object();
}

}  // namespace

std::optional<std::chrono::seconds> parse_alert_span(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t seconds;
  };
  constexpr Unit kUnits[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}};
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || number < 0 || number > 1'000'000'000) return std::nullopt;
  const std::string_view rest(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  for (const Unit& unit : kUnits) {
    if (rest == unit.name) return std::chrono::seconds(number * unit.seconds);
  }
  return std::nullopt;
}

std::string alert_span_text(std::chrono::seconds span) {
  return std::to_string(span.count()) + "s";
}

Result<AlertRule> parse_alert_rule(const JsonValue& document) {
  if (!document.is_object()) return Error(ErrorCode::invalid_argument, "an alert rule must be an object");
  AlertRule rule;
  for (const auto& [name, value] : document.members()) DENDRO_TRY(take_member(name, value, rule));
  if (rule.name.empty()) return bad_member("name", "must be there");
  if (rule.query.empty()) return bad_member("query", "must be there");
  if (document.find("condition") == nullptr) return bad_member("condition", "must be there");
  if (document.find("range") == nullptr) rule.range = std::max(rule.range, rule.every);
  if (rule.labels.contains(std::string(kAlertProblemLabel))) {
    return bad_member("labels", std::string(kAlertProblemLabel) + " is the server's own");
  }
  return rule;
}

std::string alert_rule_json(const AlertRule& rule) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("name", rule.name);
  json.member("query", rule.query);
  json.member("every", alert_span_text(rule.every));
  json.member("range", alert_span_text(rule.range));
  json.member("for", alert_span_text(rule.pending_for));
  json.key("condition");
  write_condition(json, rule.condition);
  json.key("labels");
  write_labels(json, rule.labels);
  json.key("annotations");
  write_labels(json, rule.annotations);
  json.member("receivers", rule.receivers);
  json.member("enabled", rule.is_enabled);
  json.end_object();
  return text;
}

std::string labels_json(const AlertLabels& labels) {
  std::string text;
  JsonWriter json(text);
  write_labels(json, labels);
  return text;
}

Result<AlertLabels> parse_labels(const JsonValue& document, std::string_view member) {
  if (!document.is_object()) return bad_member(member, "must be an object of texts");
  AlertLabels labels;
  for (const auto& [name, value] : document.members()) {
    if (name.size() > kAlertLabelBytesMax) return bad_member(member, "a name is longer than 1,024 bytes");
    DENDRO_TRY_ASSIGN(labels[name], text_member(value, std::string(member) + "." + name, kAlertLabelBytesMax));
  }
  if (labels.size() > kAlertLabelsMax) {
    return Error(ErrorCode::too_large, std::string(member) + ": at most " + std::to_string(kAlertLabelsMax));
  }
  return labels;
}

Result<AlertLabels> parse_labels(std::string_view json) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(json));
  return parse_labels(document, "labels");
}

}  // namespace dendro
