#include "apps/serve_alerts.h"

#include <cstdlib>

#include "adapters/aws/sns_topic.h"
#include "adapters/http/curl_http_client.h"
#include "adapters/smtp/curl_mail_sender.h"
#include "base/checksum.h"
#include "base/hex.h"
#include "server/metric_text.h"
#include "services/alerts/receivers/email_receiver.h"
#include "services/alerts/receivers/http_receivers.h"
#include "services/alerts/receivers/receiver_settings.h"
#include "storage/store_paths.h"

namespace dendro {
namespace {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());  // NOLINT: nothing here sets any
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::unique_ptr<AlertReceiver> make_receiver(const ReceiverSettings& settings, HttpClient& http, AwsAccess& aws) {
  switch (settings.kind) {
    case ReceiverSettings::Kind::webhook:
      return make_http_receiver(http, settings.url, settings.secret, &webhook_calls);
    case ReceiverSettings::Kind::slack:
      return make_http_receiver(http, settings.url, settings.secret, &slack_calls);
    case ReceiverSettings::Kind::pagerduty:
      return make_http_receiver(http, settings.url, settings.secret, &pagerduty_calls);
    case ReceiverSettings::Kind::alertmanager:
      return make_http_receiver(http, settings.url, settings.secret, &alertmanager_calls);
    case ReceiverSettings::Kind::sns:
      return make_sns_receiver(aws.client(), aws.settings(), settings.topic_arn);
    case ReceiverSettings::Kind::email:
      break;
  }
  const bool requires_tls = settings.tls != ReceiverSettings::Tls::none;
  return make_email_receiver(
      make_curl_mail_sender({settings.url, settings.user, settings.secret, requires_tls, settings.ca_file}),
      settings.from, settings.to);
}

Result<AlertReceivers> read_receivers(const Settings& settings, FileSystem& files, HttpClient& http, AwsAccess& aws) {
  AlertReceivers receivers;
  const SecretReader secrets(&environment_variable);
  for (const std::string& text : settings.alert_receivers) {
    DENDRO_TRY_ASSIGN(const JsonValue block, parse_json_document(text));
    DENDRO_TRY_ASSIGN(const ReceiverSettings receiver, parse_receiver_settings(block, files, secrets));
    if (receiver.kind == ReceiverSettings::Kind::sns && !is_sns_topic_arn(receiver.topic_arn)) {
      return Error(ErrorCode::invalid_argument,
                   "receiver \"" + receiver.name + "\": topic_arn: must be the ARN of a topic of SNS");
    }
    if (!receivers.emplace(receiver.name, make_receiver(receiver, http, aws)).second) {
      return Error(ErrorCode::invalid_argument, "receiver \"" + receiver.name + "\": there are two of this name");
    }
  }
  return receivers;
}

/// A rule of the file is known by its name: its states go on after a restart.
Result<std::vector<AlertRule>> read_rules(const Settings& settings) {
  std::vector<AlertRule> rules;
  for (const std::string& text : settings.alert_rules) {
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(text));
    Result<AlertRule> rule = parse_alert_rule(document);
    if (!rule) return rule.error().with_context("[[alerts]] block " + std::to_string(rules.size() + 1));
    rule->is_read_only = true;
    rule->id = "file-" + to_hex16(xxh3(rule->name, HashSeed(0)));
    rules.push_back(std::move(*rule));
  }
  return rules;
}

}  // namespace

Result<std::unique_ptr<ServeAlerts>> ServeAlerts::open(const Settings& settings, Parts parts) {
  std::unique_ptr<ServeAlerts> alerts(new ServeAlerts());
  alerts->http_ = make_curl_http_client();
  DENDRO_TRY_ASSIGN(AlertReceivers receivers, read_receivers(settings, parts.files, *alerts->http_, parts.aws));
  DENDRO_TRY_ASSIGN(std::vector<AlertRule> rules, read_rules(settings));
  SpoolOptions spool;
  spool.directory = StorePaths(settings.store.directory).queue_folder(std::string(kAlertQueue));
  DENDRO_TRY_ASSIGN(alerts->queue_, Spool::open(spool, parts.files, parts.clock, parts.random));
  DENDRO_TRY_ASSIGN(alerts->service_, AlertService::open({parts.database, *alerts->queue_, parts.workers, parts.clock,
                                                          parts.random, std::move(parts.query)},
                                                         std::move(receivers), std::move(rules)));
  return alerts;
}

void ServeAlerts::append_metrics(std::string& out) const {
  const AlertCounters& counters = service_->counters();
  const QueueDepth depth = service_->depth();
  append_metric(out, "dendro_alerts_evaluations_total", "counter", "evaluations of alert rules since start",
                counters.evaluations);
  append_metric(out, "dendro_alerts_evaluation_failures_total", "counter",
                "evaluations that failed or saw an incomplete answer since start", counters.failures);
  append_metric(out, "dendro_alerts_evaluations_missed_total", "counter",
                "evaluations left out since start: they were too long ago", counters.missed);
  append_metric(out, "dendro_alerts_firing", "gauge", "label sets of all rules that fire", service_->firing());
  append_metric(out, "dendro_alerts_deliveries_total", "counter", "messages that receivers took since start",
                counters.deliveries);
  append_metric(out, "dendro_alerts_delivery_failures_total", "counter",
                "tries that receivers did not take since start", counters.delivery_failures);
  append_metric(out, "dendro_alerts_held_total", "counter", "messages held back for a digest since start",
                counters.held);
  append_metric(out, "dendro_alerts_waiting", "gauge", "messages on their way to receivers",
                depth.waiting + depth.leased);
  append_metric(out, "dendro_alerts_dead_letters", "gauge", "messages that no receiver took in five tries", depth.dead);
}

}  // namespace dendro
