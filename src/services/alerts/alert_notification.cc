#include "services/alerts/alert_notification.h"

#include <algorithm>

#include "base/checksum.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

std::string hash_text(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) joined.append(part).push_back('\0');
  return to_hex(xxh3_128(joined));
}

std::string_view kind_name(AlertNotification::Kind kind) {
  switch (kind) {
    case AlertNotification::Kind::digest:
      return "digest";
    case AlertNotification::Kind::test:
      return "test";
    case AlertNotification::Kind::alert:
      break;
  }
  return "alert";
}

std::string text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* const member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->as_string().value_or(""));
}

Timestamp time_of(const JsonValue& object, std::string_view name) {
  return parse_rfc3339(text_of(object, name)).value_or(Timestamp());
}

Result<ToldAlert> told_alert_of(const JsonValue& object) {
  ToldAlert alert;
  alert.rule_id = text_of(object, "rule_id");
  alert.rule_name = text_of(object, "rule");
  alert.is_firing = text_of(object, "status") == "firing";
  alert.value = text_of(object, "value");
  alert.fingerprint = text_of(object, "fingerprint");
  alert.starts = time_of(object, "starts_at");
  alert.ends = time_of(object, "ends_at");
  if (const JsonValue* labels = object.find("labels"); labels != nullptr) {
    DENDRO_TRY_ASSIGN(alert.labels, parse_labels(*labels, "labels"));
  }
  if (const JsonValue* annotations = object.find("annotations"); annotations != nullptr) {
    DENDRO_TRY_ASSIGN(alert.annotations, parse_labels(*annotations, "annotations"));
  }
  return alert;
}

}  // namespace

bool AlertNotification::is_firing() const {
  return std::any_of(alerts.begin(), alerts.end(), [](const ToldAlert& alert) { return alert.is_firing; });
}

std::string told_alert_json(const ToldAlert& alert) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("status", alert.is_firing ? "firing" : "resolved");
  json.member("rule_id", alert.rule_id);
  json.member("rule", alert.rule_name);
  json.key("labels");
  json.raw(labels_json(alert.labels));
  json.key("annotations");
  json.raw(labels_json(alert.annotations));
  json.member("value", alert.value);
  json.member("fingerprint", alert.fingerprint);
  json.member("starts_at", to_rfc3339(alert.starts));
  json.key("ends_at");
  if (alert.ends == Timestamp()) {
    json.null();
  } else {
    json.value(to_rfc3339(alert.ends));
  }
  json.end_object();
  return text;
}

Result<ToldAlert> parse_told_alert(std::string_view json) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(json));
  return told_alert_of(document);
}

std::string notification_json(const AlertNotification& notification) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("version", "1");
  json.member("dedupe_key", notification.dedupe_key);
  json.member("kind", kind_name(notification.kind));
  json.member("status", notification.is_firing() ? "firing" : "resolved");
  json.member("tenant", notification.tenant);
  json.member("title", notification.title);
  json.member("at", to_rfc3339(notification.at));
  json.key("alerts");
  json.begin_array();
  for (const ToldAlert& alert : notification.alerts) json.raw(told_alert_json(alert));
  json.end_array();
  json.end_object();
  return text;
}

Result<AlertNotification> parse_notification(std::string_view json) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(json));
  AlertNotification notification;
  const std::string kind = text_of(document, "kind");
  notification.kind = kind == "digest" ? AlertNotification::Kind::digest
                      : kind == "test" ? AlertNotification::Kind::test
                                       : AlertNotification::Kind::alert;
  notification.dedupe_key = text_of(document, "dedupe_key");
  notification.tenant = text_of(document, "tenant");
  notification.title = text_of(document, "title");
  notification.at = time_of(document, "at");
  const JsonValue* const alerts = document.find("alerts");
  if (notification.dedupe_key.empty() || alerts == nullptr) {
    return Error(ErrorCode::invalid_argument, "not a message about alerts");
  }
  for (const JsonValue& element : alerts->elements()) {
    DENDRO_TRY_ASSIGN(ToldAlert alert, told_alert_of(element));
    notification.alerts.push_back(std::move(alert));
  }
  return notification;
}

ToldAlert told_alert(const AlertRule& rule, const AlertInstance& instance) {
  ToldAlert told;
  told.rule_id = rule.id;
  told.rule_name = rule.name;
  told.is_firing = instance.state == AlertState::firing;
  told.labels = instance.labels;
  told.labels.insert(rule.labels.begin(), rule.labels.end());
  told.annotations = rule.annotations;
  told.value = instance.value;
  told.fingerprint = hash_text({rule.tenant.text(), rule.id, labels_json(instance.labels)});
  told.starts = instance.fired;
  told.ends = instance.resolved;
  return told;
}

std::vector<ToldAlert> choose_told(const AlertRule& rule, std::vector<AlertInstance>& instances,
                                   const std::vector<AlertSilence>& silences, Timestamp at) {
  std::vector<ToldAlert> chosen;
  for (AlertInstance& instance : instances) {
    const ToldAlert told = told_alert(rule, instance);
    if (instance.state == AlertState::firing) {
      const bool is_due = instance.told == Timestamp() || at.number() - instance.told.number() >=
                                                              std::chrono::nanoseconds(kAlertRepeatInterval).count();
      if (!is_due || is_silenced(silences, rule.name, told.labels, at)) continue;
      instance.told = at;
      chosen.push_back(told);
    } else if (instance.state == AlertState::resolved && instance.told != Timestamp()) {
      instance.told = Timestamp();
      chosen.push_back(told);
    }
  }
  return chosen;
}

namespace {

/// Labels and annotations are bounded, but not what escapes make of them: one alert must fit a message whatever it
/// holds.
std::size_t shorten_alert(ToldAlert& alert) {
  constexpr std::size_t kShortValueBytes = 64;
  std::size_t bytes = told_alert_json(alert).size();
  if (bytes <= kAlertMessageBytesMax) return bytes;
  alert.annotations.clear();
  for (auto& [name, value] : alert.labels) value.resize(std::min(value.size(), kShortValueBytes));
  if (told_alert_json(alert).size() > kAlertMessageBytesMax) alert.labels.clear();
  return told_alert_json(alert).size();
}

/// Cuts a list of alerts into messages; `key`: what tells this occasion from every other.
std::vector<AlertNotification> divide_alerts(std::vector<ToldAlert> alerts, const AlertNotification& form,
                                             std::string_view key) {
  std::vector<AlertNotification> parts;
  std::size_t bytes = 0;
  for (ToldAlert& alert : alerts) {
    const std::size_t more = shorten_alert(alert);
    if (parts.empty() || parts.back().alerts.size() >= kAlertsOfAMessageMax || bytes + more > kAlertMessageBytesMax) {
      parts.push_back(form);
      parts.back().dedupe_key = hash_text({form.tenant, key, std::to_string(parts.size())});
      bytes = 0;
    }
    parts.back().alerts.push_back(std::move(alert));
    bytes += more;
  }
  return parts;
}

}  // namespace

std::vector<AlertNotification> make_notifications(const AlertRule& rule, std::vector<ToldAlert> alerts, Timestamp at) {
  AlertNotification form;
  form.tenant = rule.tenant.text();
  form.at = at;
  std::vector<AlertNotification> parts =
      divide_alerts(std::move(alerts), form, rule.id + " " + std::to_string(at.number()));
  for (AlertNotification& part : parts) part.title = rule.name + (part.is_firing() ? " is firing" : " is resolved");
  return parts;
}

std::vector<AlertNotification> make_digests(const TenantId& tenant, const std::string& receiver,
                                            std::vector<ToldAlert> alerts, Timestamp at) {
  AlertNotification form;
  form.kind = AlertNotification::Kind::digest;
  form.tenant = tenant.text();
  form.at = at;
  form.title = std::to_string(alerts.size()) + " alerts that were held back";
  return divide_alerts(std::move(alerts), form, "digest " + receiver + " " + std::to_string(at.number()));
}

}  // namespace dendro
