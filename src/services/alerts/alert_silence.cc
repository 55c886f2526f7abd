#include "services/alerts/alert_silence.h"

#include <algorithm>

#include "base/json_writer.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

Result<AlertMatcher> parse_matcher(const JsonValue& document) {
  const Error wrong(ErrorCode::invalid_argument,
                    R"(matchers: each must be {"name":text,"value":text} and may have "negated":true)");
  AlertMatcher matcher;
  bool has_value = false;
  if (!document.is_object()) return wrong;
  for (const auto& [name, value] : document.members()) {
    if (name == "name" && value.is_string()) {
      matcher.name = *value.as_string();
    } else if (name == "value" && value.is_string()) {
      matcher.value = *value.as_string();
      has_value = true;
    } else if (name == "negated" && value.as_bool()) {
      matcher.is_negated = *value.as_bool();
    } else {
      return wrong;
    }
  }
  if (matcher.name.empty() || !has_value) return wrong;
  return matcher;
}

bool fits(const AlertMatcher& matcher, const std::string& rule_name, const AlertLabels& labels) {
  const auto label = labels.find(matcher.name);
  const std::string& value = matcher.name == "alertname" ? rule_name
                             : label == labels.end()     ? std::string()
                                                         : label->second;
  return (value == matcher.value) != matcher.is_negated;
}

}  // namespace

Result<std::vector<AlertMatcher>> parse_matchers(const JsonValue& list) {
  if (!list.is_array() || list.elements().empty()) {
    return Error(ErrorCode::invalid_argument, "matchers: must be a list with one matcher at least");
  }
  if (list.elements().size() > kAlertLabelsMax) {
    return Error(ErrorCode::too_large, "matchers: at most " + std::to_string(kAlertLabelsMax));
  }
  std::vector<AlertMatcher> matchers;
  for (const JsonValue& element : list.elements()) {
    DENDRO_TRY_ASSIGN(AlertMatcher matcher, parse_matcher(element));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

std::string matchers_json(const std::vector<AlertMatcher>& matchers) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  for (const AlertMatcher& matcher : matchers) {
    json.begin_object();
    json.member("name", matcher.name);
    json.member("value", matcher.value);
    json.member("negated", matcher.is_negated);
    json.end_object();
  }
  json.end_array();
  return text;
}

bool is_silenced(const std::vector<AlertSilence>& silences, const std::string& rule_name, const AlertLabels& labels,
                 Timestamp at) {
  return std::any_of(silences.begin(), silences.end(), [&](const AlertSilence& silence) {
    return silence.starts <= at && at < silence.ends &&
           std::all_of(
               silence.matchers.begin(), silence.matchers.end(),
               [&](const AlertMatcher& matcher) { return fits(matcher, rule_name, labels); });
  });
}

}  // namespace dendro
