#include "adapters/aws/sns_topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/adapters/aws/scripted_http_client.h"

namespace dendro {
namespace {

using testing::HasSubstr;
using testing::Not;

class SnsTopicTest : public testing::Test {
 protected:
  ManualClock clock_{*parse_rfc3339("2026-01-01T00:00:00Z")};
  SystemRandom random_;
  ScriptedHttpClient http_;
  FixedCredentials keys_{AwsCredentials{"K", "S", "", {}}};
  AwsSettings settings_;
  AwsClient client_{{http_, clock_, random_, &keys_}};
  const std::string arn_ = "arn:aws:sns:eu-central-1:123456789012:alerts";
};

TEST_F(SnsTopicTest, PublishesInTheRegionOfItsName) {
  http_.answers = {HttpClientReply{200, {}, "<PublishResponse/>"}};
  EXPECT_TRUE(make_sns_publisher(client_, settings_, arn_)->publish("{\"a\":\"b&c\"}").has_value());
  EXPECT_EQ(http_.seen[0].url, "https://sns.eu-central-1.amazonaws.com/");
  EXPECT_THAT(http_.header_of(0, "Authorization"), HasSubstr("/eu-central-1/sns/"));
  EXPECT_THAT(http_.seen[0].body, HasSubstr("Action=Publish&Message=%7B%22a%22%3A%22b%26c%22%7D&TopicArn=arn%3Aaws"));
  EXPECT_THAT(http_.seen[0].body, Not(HasSubstr("MessageGroupId")));
}

TEST_F(SnsTopicTest, DeliversAlertsWithTheirKeyToOrderedTopics) {
  http_.otherwise = HttpClientReply{200, {}, "<PublishResponse/>"};
  AlertNotification notification;
  notification.title = "  \xC3\xA4 errors\r\n" + std::string(200, 'x');
  notification.dedupe_key = "d1";
  const auto receiver = make_sns_receiver(client_, settings_, arn_ + ".fifo");
  EXPECT_TRUE(receiver->deliver(notification).has_value());
  EXPECT_TRUE(receiver->deliver(notification).has_value());
  EXPECT_THAT(http_.seen[0].body, HasSubstr("MessageDeduplicationId=" + hex_sha256("d1")));
  EXPECT_THAT(http_.seen[0].body, HasSubstr("&Subject=errors" + std::string(93, 'x') + "&"));
  EXPECT_EQ(http_.seen[0].body, http_.seen[1].body);
}

TEST_F(SnsTopicTest, RefusalsAndTooLongMessagesAreErrors) {
  http_.answers = {HttpClientReply{403, {}, "<E><Error><Code>AuthorizationError</Code></Error></E>"}};
  const auto publisher = make_sns_publisher(client_, settings_, arn_);
  EXPECT_EQ(publisher->publish("{}").error().code(), ErrorCode::permission_denied);
  EXPECT_EQ(publisher->publish(std::string(300'000, 'x')).error().code(), ErrorCode::too_large);
  EXPECT_EQ(http_.seen.size(), 1u);
}

TEST(SnsTopicArn, IsToldFromOtherTexts) {
  EXPECT_TRUE(is_sns_topic_arn("arn:aws:sns:eu-central-1:123456789012:alerts"));
  EXPECT_TRUE(is_sns_topic_arn("arn:aws-cn:sns:cn-north-1:123456789012:a.fifo"));
  for (const char* bad : {"", "alerts", "arn:aws:sqs:eu-central-1:1:q", "arn:aws:sns::1:a", "arn:aws:sns:x/y:1:a",
                          "arn:aws:sns:eu-central-1:1:", "arn:aws:sns:eu-central-1:1:a:b"}) {
    EXPECT_FALSE(is_sns_topic_arn(bad)) << bad;
  }
}

}  // namespace
}  // namespace dendro
