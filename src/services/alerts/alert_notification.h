#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/alerts/alert_evaluator.h"
#include "services/alerts/alert_rule.h"
#include "services/alerts/alert_silence.h"

namespace dendro {

/// One alert as receivers are told of it.
struct ToldAlert {
  std::string rule_id, rule_name;
  bool is_firing = true;  ///< otherwise it resolved
  AlertLabels labels;     ///< of the rule and of the label set; the latter win
  AlertLabels annotations;
  std::string value;
  std::string fingerprint;  ///< 32 hexadecimal digits: tenant, rule and label set; the same each time
  Timestamp starts, ends;   ///< `ends` 0: it goes on
};

/// One message to one receiver.
struct AlertNotification {
  enum class Kind : std::uint8_t { alert, digest, test };
  Kind kind = Kind::alert;
  std::string dedupe_key;  ///< equal in a repetition of this message, and in nothing else
  std::string tenant;
  std::string title;
  Timestamp at;
  std::vector<ToldAlert> alerts;  ///< at most kAlertsOfAMessageMax

  bool is_firing() const;  ///< one of them at least
};

/// The message as the plain webhook gets it, and as it lies in the queue.
std::string notification_json(const AlertNotification& notification);
/// Errors: invalid_argument.
Result<AlertNotification> parse_notification(std::string_view json);

ToldAlert told_alert(const AlertRule& rule, const AlertInstance& instance);
std::string told_alert_json(const ToldAlert& alert);
Result<ToldAlert> parse_told_alert(std::string_view json);

/// What of the label sets must be told at `at`, and marks it as told: what fires and was not told for
/// kAlertRepeatInterval, unless a silence fits; what resolved and had been told, silenced or not, or an incident would
/// stay open.
std::vector<ToldAlert> choose_told(const AlertRule& rule, std::vector<AlertInstance>& instances,
                                   const std::vector<AlertSilence>& silences, Timestamp at);

/// The messages of an evaluation, kAlertsOfAMessageMax alerts and kAlertMessageBytesMax each at most: usually one.
std::vector<AlertNotification> make_notifications(const AlertRule& rule, std::vector<ToldAlert> alerts, Timestamp at);
/// What was held back in an hour that was full, to one receiver; at most as many.
std::vector<AlertNotification> make_digests(const TenantId& tenant, const std::string& receiver,
                                            std::vector<ToldAlert> alerts, Timestamp at);

}  // namespace dendro
