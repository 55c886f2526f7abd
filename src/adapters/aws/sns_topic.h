#pragma once

#include <memory>
#include <string>

#include "adapters/aws/aws_client.h"
#include "services/alerts/alert_receiver.h"
#include "services/analyze/alert_publisher.h"

namespace dendro {

/// Whether it names a topic: "arn:aws:sns:eu-central-1:123456789012:alerts".
bool is_sns_topic_arn(std::string_view arn);

/// What both of these do with a topic: publish a JSON text in the ARN's region. `client` and `settings` outlive them.
/// A message over SNS's 256 KiB is too_large. Others read it: it is JSON, its subject says what it is.
std::unique_ptr<AlertPublisher> make_sns_publisher(AwsClient& client, const AwsSettings& settings,
                                                   std::string topic_arn);
/// The message of docs/alerts.md; a topic ending in .fifo gets the dedupe key, too.
std::unique_ptr<AlertReceiver> make_sns_receiver(AwsClient& client, const AwsSettings& settings, std::string topic_arn);

}  // namespace dendro
