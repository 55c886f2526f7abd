#pragma once

#include <string>
#include <vector>

#include "base/json_document.h"
#include "base/timestamp.h"
#include "services/alerts/alert_rule.h"

namespace dendro {

/// A label must (or must not) have this value. `alertname` stands for the rule's name.
struct AlertMatcher {
  std::string name, value;
  bool is_negated = false;
};

/// For [starts, ends) alerts whose labels fit every matcher are not told.
struct AlertSilence {
  std::string id;
  std::vector<AlertMatcher> matchers;
  Timestamp starts, ends;
  std::string comment;
};

/// `[{"name":..,"value":..,"negated":false}]`, one at least. Errors: invalid_argument, too_large.
Result<std::vector<AlertMatcher>> parse_matchers(const JsonValue& list);
std::string matchers_json(const std::vector<AlertMatcher>& matchers);

/// `labels`: of the alert, the rule's own among them. A label that is missing is the empty text.
bool is_silenced(const std::vector<AlertSilence>& silences, const std::string& rule_name, const AlertLabels& labels,
                 Timestamp at);

}  // namespace dendro
