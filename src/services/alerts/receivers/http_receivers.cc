#include "services/alerts/receivers/http_receivers.h"

#include "base/hex.h"
#include "base/hmac.h"
#include "base/json_writer.h"
#include "services/alerts/receivers/alert_text.h"

namespace dendro {
namespace {

constexpr std::chrono::seconds kCallTimeout{10};
/// An Alertmanager forgets an alert that is not told again; the next telling comes after kAlertRepeatInterval.
constexpr std::chrono::hours kAlertmanagerKept{5};

AlertHttpCall json_call(std::string path, std::string body) {
  return {"POST", std::move(path), {{"Content-Type", "application/json"}}, std::move(body)};
}

std::string severity_of(const ToldAlert& alert) {
  const auto label = alert.labels.find("severity");
  for (const char* known : {"critical", "error", "warning", "info"}) {
    if (label != alert.labels.end() && label->second == known) return known;
  }
  return "error";
}

std::string pagerduty_event(const AlertNotification& notification, const ToldAlert& alert, const std::string& key) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("routing_key", key);
  json.member("event_action", alert.is_firing ? "trigger" : "resolve");
  json.member("dedup_key", alert.fingerprint);
  json.key("payload");
  json.begin_object();
  // PagerDuty takes 1,024 characters.
  json.member("summary", std::string_view(alert_line(alert)).substr(0, 1'000));
  json.member("source", "dendro/" + notification.tenant);
  json.member("severity", notification.kind == AlertNotification::Kind::test ? "info" : severity_of(alert));
  json.member("timestamp", to_rfc3339(alert.starts, 3));
  json.key("custom_details");
  json.raw(told_alert_json(alert));
  json.end_object();
  json.end_object();
  return text;
}

void write_alertmanager_alert(JsonWriter& json, const AlertNotification& notification, const ToldAlert& alert) {
  AlertLabels labels = alert.labels;
  labels["alertname"] = alert.rule_name;
  labels["dendro_tenant"] = notification.tenant;
  if (notification.kind == AlertNotification::Kind::test) labels["dendro_test"] = "true";
  AlertLabels annotations = alert.annotations;
  annotations["value"] = alert.value;
  const Timestamp until = notification.at.next(std::chrono::nanoseconds(kAlertmanagerKept).count());
  json.begin_object();
  json.key("labels");
  json.raw(labels_json(labels));
  json.key("annotations");
  json.raw(labels_json(annotations));
  json.member("startsAt", to_rfc3339(alert.starts, 3));
  json.member("endsAt", to_rfc3339(alert.is_firing ? until : alert.ends, 3));
  json.end_object();
}

class HttpReceiver final : public AlertReceiver {
 public:
  HttpReceiver(HttpClient& client, std::string url, std::string secret, AlertCallsFunction calls)
      : client_(client), url_(std::move(url)), secret_(std::move(secret)), calls_(calls) {}

  Status deliver(const AlertNotification& notification) override {
    for (AlertHttpCall& call : calls_(notification, secret_)) DENDRO_TRY(exchange(call));
    return {};
  }

 private:
  Status exchange(AlertHttpCall& call) {
    HttpClientRequest request;
    request.method = call.method;
    request.url = url_ + call.path;
    request.headers = std::move(call.headers);
    request.body = std::move(call.body);
    request.timeout = kCallTimeout;
    request.reply_bytes_max = std::uint64_t{1} << 20;
    DENDRO_TRY_ASSIGN(const HttpClientReply reply, client_.exchange(request, nullptr));
    if (reply.status >= 200 && reply.status < 300) return {};
    return Error(reply.status == 401 || reply.status == 403 ? ErrorCode::permission_denied : ErrorCode::unavailable,
                 "the receiver answered " + std::to_string(reply.status));
  }

  HttpClient& client_;
  const std::string url_, secret_;
  const AlertCallsFunction calls_;
};

}  // namespace

std::vector<AlertHttpCall> webhook_calls(const AlertNotification& notification, const std::string& secret) {
  AlertHttpCall call = json_call("", notification_json(notification));
  call.headers.emplace_back("X-Dendro-Dedupe-Key", notification.dedupe_key);
  if (!secret.empty()) {
    call.headers.emplace_back("X-Dendro-Signature", "sha256=" + to_hex(hmac_sha256(secret, call.body)));
  }
  return {std::move(call)};
}

std::vector<AlertHttpCall> slack_calls(const AlertNotification& notification, const std::string&) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("text", slack_text(notification));
  json.end_object();
  return {json_call("", std::move(text))};
}

std::vector<AlertHttpCall> pagerduty_calls(const AlertNotification& notification, const std::string& secret) {
  std::vector<AlertHttpCall> calls;
  for (const ToldAlert& alert : notification.alerts) {
    calls.push_back(json_call("/v2/enqueue", pagerduty_event(notification, alert, secret)));
  }
  return calls;
}

std::vector<AlertHttpCall> alertmanager_calls(const AlertNotification& notification, const std::string& secret) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  for (const ToldAlert& alert : notification.alerts) write_alertmanager_alert(json, notification, alert);
  json.end_array();
  AlertHttpCall call = json_call("/api/v2/alerts", std::move(text));
  if (!secret.empty()) call.headers.emplace_back("Authorization", "Bearer " + secret);
  return {std::move(call)};
}

std::unique_ptr<AlertReceiver> make_http_receiver(HttpClient& client, std::string url, std::string secret,
                                                  AlertCallsFunction calls) {
  return std::make_unique<HttpReceiver>(client, std::move(url), std::move(secret), calls);
}

}  // namespace dendro
