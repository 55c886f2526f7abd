#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/http_client.h"
#include "services/alerts/alert_receiver.h"

namespace dendro {

/// What a message looks like on the wire.
struct AlertHttpCall {
  std::string method = "POST";
  std::string path;  ///< behind the receiver's URL
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The forms. Pure. A message may take several calls. `secret`: the key of a signature, PagerDuty's routing key, a
// bearer token; empty: none.

/// The message as JSON (docs/alerts.md). With a secret: `X-Dendro-Signature: sha256=<hex>`, HMAC-SHA256 of the body.
/// `X-Dendro-Dedupe-Key` in any case.
std::vector<AlertHttpCall> webhook_calls(const AlertNotification& notification, const std::string& secret);
/// An incoming webhook of Slack (and of those who take its form): a text of one line an alert.
std::vector<AlertHttpCall> slack_calls(const AlertNotification& notification, const std::string& secret);
/// PagerDuty's Events API v2: one event an alert, its dedup_key the alert's fingerprint.
std::vector<AlertHttpCall> pagerduty_calls(const AlertNotification& notification, const std::string& secret);
/// POST /api/v2/alerts of an Alertmanager.
std::vector<AlertHttpCall> alertmanager_calls(const AlertNotification& notification, const std::string& secret);

using AlertCallsFunction = std::vector<AlertHttpCall> (*)(const AlertNotification&, const std::string&);

/// `url`: http or https. A reply other than 2xx is a failure. `client` outlives the receiver.
std::unique_ptr<AlertReceiver> make_http_receiver(HttpClient& client, std::string url, std::string secret,
                                                  AlertCallsFunction calls);

}  // namespace dendro
