#include "adapters/aws/sns_topic.h"

#include "adapters/aws/aws_encoding.h"

namespace dendro {
namespace {

constexpr std::size_t kSnsMessageBytesMax = std::size_t{256} << 10;
/// Of a subject: printable ASCII.
constexpr std::size_t kSnsSubjectMax = 99;

std::vector<std::string> arn_parts(std::string_view arn) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t colon = arn.find(':');
    parts.emplace_back(arn.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    arn.remove_prefix(colon + 1);
  }
}

/// Cut, and without what SNS refuses.
std::string subject_text(std::string_view title) {
  std::string subject;
  for (const char c : title) {
    if (subject.size() == kSnsSubjectMax) break;
    const bool is_printable = c >= 0x20 && c < 0x7F;
    if (is_printable && !(subject.empty() && c == ' ')) subject.push_back(c);
  }
  return subject;
}

class SnsTopic final : public AlertPublisher, public AlertReceiver {
 public:
  SnsTopic(AwsClient& client, const AwsSettings& settings, std::string topic_arn)
      : client_(client), settings_(settings), arn_(std::move(topic_arn)) {}

  Status publish(std::string_view json) override { return send(json, "dendro: error threshold reached", ""); }

  Status deliver(const AlertNotification& notification) override {
    return send(notification_json(notification), notification.title, notification.dedupe_key);
  }

 private:
  Status send(std::string_view message, std::string_view title, const std::string& dedupe_key) {
    if (message.size() > kSnsMessageBytesMax) {
      return Error(ErrorCode::too_large, "the message has " + std::to_string(message.size()) +
                                             " bytes, a topic takes " + std::to_string(kSnsMessageBytesMax));
    }
    AwsCall call;
    call.scope = {arn_parts(arn_).at(3), "sns"};
    DENDRO_TRY_ASSIGN(call.endpoint, aws_endpoint(settings_, "sns", call.scope.region));
    call.method = "POST";
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    AwsPairs form = {{"Action", "Publish"}, {"Message", std::string(message)}, {"TopicArn", arn_}};
    if (std::string subject = subject_text(title); !subject.empty()) form.emplace_back("Subject", std::move(subject));
    if (arn_.ends_with(".fifo")) {
      form.emplace_back("MessageGroupId", "dendro");
      form.emplace_back("MessageDeduplicationId", dedupe_key.empty() ? hex_sha256(message) : hex_sha256(dedupe_key));
    }
    form.emplace_back("Version", "2010-03-31");
    call.body = aws_form_text(form);
    call.reply_bytes_max = std::uint64_t{1} << 20;
    call.time_max = std::chrono::seconds(20);
    DENDRO_TRY(client_.call_or_error(call));
    return {};
  }

  AwsClient& client_;
  const AwsSettings& settings_;
  const std::string arn_;
};

}  // namespace

bool is_sns_topic_arn(std::string_view arn) {
  const std::vector<std::string> parts = arn_parts(arn);
  return parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") && parts[2] == "sns" &&
         !parts[3].empty() && is_aws_region(parts[3]) && !parts[4].empty() && !parts[5].empty();
}

std::unique_ptr<AlertPublisher> make_sns_publisher(AwsClient& client, const AwsSettings& settings,
                                                   std::string topic_arn) {
  return std::make_unique<SnsTopic>(client, settings, std::move(topic_arn));
}

std::unique_ptr<AlertReceiver> make_sns_receiver(AwsClient& client, const AwsSettings& settings,
                                                 std::string topic_arn) {
  return std::make_unique<SnsTopic>(client, settings, std::move(topic_arn));
}

}  // namespace dendro
