#include "adapters/aws/aws_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/adapters/aws/scripted_http_client.h"

namespace dendro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CountingCredentials final : public CredentialProvider {
 public:
  Result<AwsCredentials> get() override {
    return AwsCredentials{"KEY" + std::to_string(forgotten.size()), "secret", "", {}};
  }
  void forget(const std::string& access_key_id) override { forgotten.push_back(access_key_id); }
  std::vector<std::string> forgotten;
};

class AwsClientTest : public testing::Test {
 protected:
  AwsClientTest() {
    options_.sleep = [this](std::chrono::milliseconds wait) {
      waits_.push_back(wait);
      clock_.advance(wait);
    };
  }
  AwsCall call() {
    AwsCall call;
    call.scope = {"eu-west-1", "s3"};
    call.endpoint.host = "s3.eu-west-1.amazonaws.com";
    call.path = "/b/k";
    return call;
  }
  Result<HttpClientReply> run(const AwsCall& call) {
    if (client_ == nullptr)
      client_ = std::make_unique<AwsClient>(AwsClient::Parts{http_, clock_, random_, &keys_}, options_);
    return client_->call_or_error(call);
  }
  ErrorCode code_of(const AwsCall& call) {
    const auto reply = run(call);
    return reply ? ErrorCode::internal : reply.error().code();
  }

  ManualClock clock_{*parse_rfc3339("2026-01-01T00:00:00Z")};
  SystemRandom random_;
  ScriptedHttpClient http_;
  CountingCredentials keys_;
  AwsClientOptions options_;
  std::vector<std::chrono::milliseconds> waits_;
  std::unique_ptr<AwsClient> client_;
};

HttpClientReply fault_reply(int status, const std::string& code) {
  return {status, {}, "<Error><Code>" + code + "</Code><Message>m</Message></Error>"};
}

TEST_F(AwsClientTest, RepeatsWhatPassesAndWaitsLongerEachTime) {
  http_.answers = {fault_reply(503, "SlowDown"), Error(ErrorCode::unavailable, "refused"),
                   Error(ErrorCode::io_error, "cut"), HttpClientReply{200, {}, "done"}};
  const auto reply = run(call());
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->body, "done");
  ASSERT_EQ(waits_.size(), 3u);
  EXPECT_LE(waits_[0].count(), 100);
  EXPECT_LE(waits_[1].count(), 200);
  EXPECT_LE(waits_[2].count(), 400);
}

TEST_F(AwsClientTest, GivesUpAfterFourAttempts) {
  for (int i = 0; i < 5; ++i) http_.answers.push_back(fault_reply(500, "InternalError"));
  EXPECT_EQ(code_of(call()), ErrorCode::io_error);
  EXPECT_EQ(http_.seen.size(), 4u);
}

TEST_F(AwsClientTest, DoesNotRepeatWhatStaysWrong) {
  http_.answers = {fault_reply(403, "AccessDenied"), HttpClientReply{200, {}, ""}};
  EXPECT_EQ(code_of(call()), ErrorCode::permission_denied);
  EXPECT_EQ(http_.seen.size(), 1u);
}

TEST_F(AwsClientTest, WhatMustNotHappenTwiceIsRepeatedOnlyWhenThrottled) {
  AwsCall once = call();
  once.is_repeatable = false;
  http_.answers = {fault_reply(503, "SlowDown"), Error(ErrorCode::io_error, "cut"), HttpClientReply{200, {}, ""}};
  EXPECT_EQ(code_of(once), ErrorCode::io_error);
  EXPECT_EQ(http_.seen.size(), 2u);
}

TEST_F(AwsClientTest, StopsAtItsTimeAndWhenCancelled) {
  AwsCall late = call();
  late.time_max = std::chrono::milliseconds(1);
  options_.backoff_first = std::chrono::hours(1);
  options_.backoff_max = std::chrono::hours(1);
  for (int i = 0; i < 5; ++i) http_.answers.push_back(fault_reply(500, "InternalError"));
  EXPECT_EQ(code_of(late), ErrorCode::io_error);
  EXPECT_EQ(http_.seen.size(), 1u);
  AwsCall cancelled = call();
  cancelled.cancel.cancel();
  EXPECT_EQ(code_of(cancelled), ErrorCode::io_error);
  EXPECT_EQ(http_.seen.size(), 2u);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(AwsClientTest, AServiceThatIsDownIsNotAskedFourTimesForEver) {
  http_.otherwise = fault_reply(500, "InternalError");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(code_of(call()), ErrorCode::io_error);
  // 500 tokens are 100 repetitions; after them one attempt a call.
  EXPECT_EQ(http_.seen.size(), 200u);
  http_.otherwise = HttpClientReply{200, {}, ""};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(run(call()).has_value());
  http_.otherwise = fault_reply(500, "InternalError");
  http_.seen.clear();
  EXPECT_EQ(code_of(call()), ErrorCode::io_error);
  EXPECT_EQ(http_.seen.size(), 3u);  // ten successes earned two
}

TEST_F(AwsClientTest, LearnsTheClockFromARefusal) {
  HttpClientReply skewed = fault_reply(403, "RequestTimeTooSkewed");
  skewed.headers = {{"date", "Thu, 01 Jan 2026 00:20:00 GMT"}};
  http_.answers = {skewed, HttpClientReply{200, {}, ""}};
  EXPECT_TRUE(run(call()).has_value());
  EXPECT_EQ(client_->clock_skew(), std::chrono::minutes(20));
  EXPECT_THAT(http_.dates(), ElementsAre("20260101T000000Z", "20260101T002000Z"));
  EXPECT_TRUE(waits_.empty());
  // A wrong secret looks the same but for the date: one attempt.
  HttpClientReply wrong = fault_reply(403, "SignatureDoesNotMatch");
  wrong.headers = {{"date", "Thu, 01 Jan 2026 00:20:01 GMT"}};
  http_.answers = {wrong, HttpClientReply{200, {}, ""}};
  EXPECT_EQ(code_of(call()), ErrorCode::unauthenticated);
  // A refusal that goes on is not asked about for ever.
  HttpClientReply again = skewed;
  again.headers = {{"date", "Thu, 01 Jan 2026 05:00:00 GMT"}};
  http_.answers = {skewed, again, skewed};
  http_.seen.clear();
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(code_of(call()), ErrorCode::unauthenticated);
  EXPECT_EQ(http_.seen.size(), 2u);
}

TEST_F(AwsClientTest, OutdatedCredentialsAreFetchedAnewOnce) {
  http_.answers = {fault_reply(400, "ExpiredToken"), HttpClientReply{200, {}, ""}};
  EXPECT_TRUE(run(call()).has_value());
  EXPECT_THAT(keys_.forgotten, ElementsAre("KEY0"));
  EXPECT_THAT(http_.header_of(1, "Authorization"), HasSubstr("Credential=KEY1/"));
  http_.answers = {fault_reply(403, "InvalidAccessKeyId"), fault_reply(403, "InvalidAccessKeyId")};
  EXPECT_EQ(code_of(call()), ErrorCode::unauthenticated);
  EXPECT_EQ(http_.answers.size(), 0u);
}

TEST_F(AwsClientTest, SendsThePathBelowTheEndpointAndNothingUnsigned) {
  AwsCall below = call();
  below.endpoint = *parse_aws_endpoint("http://minio:9000/base");
  below.query = {{"list-type", "2"}};
  http_.answers = {HttpClientReply{200, {}, ""}};
  EXPECT_TRUE(run(below).has_value());
  EXPECT_EQ(http_.seen[0].url, "http://minio:9000/base/b/k?list-type=2");
  EXPECT_THAT(http_.header_of(0, "Authorization"), HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date"));
}

TEST_F(AwsClientTest, WithoutCredentialsNothingIsSigned) {
  AwsClient unsigned_client({http_, clock_, random_, nullptr}, options_);
  http_.answers = {HttpClientReply{200, {}, ""}};
  AwsCall plain = call();
  plain.headers = {{"A", "b"}};
  EXPECT_TRUE(unsigned_client.call_or_error(plain).has_value());
  EXPECT_THAT(http_.seen[0].headers, ElementsAre(testing::Pair("A", "b")));
}

}  // namespace
}  // namespace dendro
