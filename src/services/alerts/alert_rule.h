#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/json_document.h"
#include "base/result.h"

namespace dendro {

using AlertLabels = std::map<std::string, std::string>;

/// When a label set is active.
struct AlertCondition {
  enum class Kind : std::uint8_t {
    rows,       ///< the answer has more than `threshold` rows
    column,     ///< the number in `name` of a row is above or below it; the other columns are labels
    new_value,  ///< field `name` of some record has a value that it did not have in the last `days`
  };
  enum class Side : std::uint8_t { above, below };
  Kind kind = Kind::rows;
  Side side = Side::above;
  double threshold = 0;
  std::string name;
  int days = 7;
};

/// What is watched, when it is worth a message, and who gets it.
struct AlertRule {
  std::string id;
  TenantId tenant = TenantId::default_tenant();
  bool is_read_only = false;  ///< of the configuration
  std::string name;
  std::string query;
  std::chrono::seconds every{60};       ///< between two evaluations
  std::chrono::seconds range{300};      ///< an evaluation at t looks at [t - range, t)
  std::chrono::seconds pending_for{0};  ///< so long it must be active before it fires
  AlertCondition condition;
  AlertLabels labels, annotations;
  std::vector<std::string> receivers;  ///< names of the configuration
  bool is_enabled = true;
};

/// Reads the document of a rule: name, query, condition; every, range, for, labels, annotations, receivers, enabled
/// have defaults. id and tenant are the caller's to set.
/// Errors: invalid_argument naming the member, too_large.
Result<AlertRule> parse_alert_rule(const JsonValue& document);
/// The same document, all members written out.
std::string alert_rule_json(const AlertRule& rule);

/// "90s", "5m", "2h", "7d", or a whole number of seconds; nothing otherwise.
std::optional<std::chrono::seconds> parse_alert_span(std::string_view text);
/// "90s".
std::string alert_span_text(std::chrono::seconds span);

/// A JSON object, names sorted: one text a label set.
std::string labels_json(const AlertLabels& labels);
/// Errors: invalid_argument (no object of texts).
Result<AlertLabels> parse_labels(const JsonValue& document, std::string_view member);
Result<AlertLabels> parse_labels(std::string_view json);

/// An evaluation that failed is an alert with this label, so that it is told like any other.
inline constexpr std::string_view kAlertProblemLabel = "alert_problem";

}  // namespace dendro
