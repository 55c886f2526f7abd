#include "adapters/aws/request_signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dendro {
namespace {

using testing::HasSubstr;

const AwsCredentials kS3Keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", {}};
const AwsCredentials kSuiteKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", {}};
const Timestamp kS3Time = *parse_rfc3339("2013-05-24T00:00:00Z");
const Timestamp kSuiteTime = *parse_rfc3339("2015-08-30T12:36:00Z");

std::string value_of(const AwsPairs& headers, std::string_view name) {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return "";
}

std::string signature_in(const std::string& text) {
  const std::size_t at = text.find("Signature=");
  return at == std::string::npos ? text : text.substr(at + 10);
}

AwsSigningRequest s3_request() {
  AwsSigningRequest request;
  request.host = "examplebucket.s3.amazonaws.com";
  request.payload_hash = hex_sha256("");
  return request;
}

std::string sign_s3(const AwsSigningRequest& request) {
  return signature_in(
      value_of(RequestSigner().sign(request, kS3Keys, {"us-east-1", "s3"}, kS3Time).headers, "Authorization"));
}

std::string sign_suite(const AwsSigningRequest& request, const std::string& service) {
  return signature_in(
      value_of(RequestSigner().sign(request, kSuiteKeys, {"us-east-1", service}, kSuiteTime).headers, "Authorization"));
}

// Source of the numbers: AWS's documentation of Signature Version 4 and its test suite.
TEST(RequestSigner, SignsTheExamplesOfS3) {
  AwsSigningRequest get = s3_request();
  get.path = "/test.txt";
  get.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(sign_s3(get), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

  AwsSigningRequest put = s3_request();
  put.method = "PUT";
  put.path = "/test$file.text";
  put.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  put.payload_hash = hex_sha256("Welcome to Amazon S3.");
  EXPECT_EQ(sign_s3(put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

  AwsSigningRequest lifecycle = s3_request();
  lifecycle.query = {{"lifecycle", ""}};
  EXPECT_EQ(sign_s3(lifecycle), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

  AwsSigningRequest list = s3_request();
  list.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(sign_s3(list), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(RequestSigner, SignsTheExamplesOfOtherServices) {
  AwsSigningRequest vanilla;
  vanilla.host = "example.amazonaws.com";
  vanilla.payload_hash = hex_sha256("");
  EXPECT_EQ(sign_suite(vanilla, "service"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  vanilla.query = {{"Param2", "value2"}, {"Param1", "value1"}};
  EXPECT_EQ(sign_suite(vanilla, "service"), "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");

  AwsSigningRequest iam;
  iam.host = "iam.amazonaws.com";
  iam.query = {{"Action", "ListUsers"}, {"Version", "2010-05-08"}};
  iam.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  iam.payload_hash = hex_sha256("");
  EXPECT_EQ(sign_suite(iam, "iam"), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(RequestSigner, PresignsTheExampleOfS3) {
  AwsSigningRequest request = s3_request();
  request.path = "/test.txt";
  const std::string target =
      RequestSigner().presign(request, kS3Keys, {"us-east-1", "s3"}, kS3Time, std::chrono::hours(24));
  EXPECT_TRUE(target.ends_with("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
      << target;
  EXPECT_THAT(target, HasSubstr("X-Amz-Expires=86400"));
}

TEST(RequestSigner, EmitsTheWireFormThatItSigned) {
  RequestSigner signer;
  AwsSigningRequest request = s3_request();
  request.path = "/a b/../c+d=\xC3\xA4~%2F";
  request.query = {{"b", "x y"}, {"a-b", "="}, {"a", "z"}, {"a", "A"}};
  EXPECT_EQ(signer.sign(request, kS3Keys, {"us-east-1", "s3"}, kS3Time).target,
            "/a%20b/../c%2Bd%3D%C3%A4~%252F?a=A&a=z&a-b=%3D&b=x%20y");
  // Others: dot segments and double slashes go, on the wire as in what is signed.
  EXPECT_EQ(signer.sign(request, kS3Keys, {"us-east-1", "bedrock"}, kS3Time).target,
            "/c%2Bd%3D%C3%A4~%252F?a=A&a=z&a-b=%3D&b=x%20y");
  request.path = "/x//y/./";
  request.query.clear();
  EXPECT_EQ(signer.sign(request, kS3Keys, {"us-east-1", "sqs"}, kS3Time).target, "/x/y/");
  request.path = "";
  EXPECT_EQ(signer.sign(request, kS3Keys, {"us-east-1", "sqs"}, kS3Time).target, "/");
}

TEST(RequestSigner, NamesThePayloadWhereTheServiceWantsIt) {
  RequestSigner signer;
  const auto payload = [&](const char* service) {
    return value_of(signer.sign(s3_request(), kS3Keys, {"us-east-1", service}, kS3Time).headers,
                    "X-Amz-Content-Sha256");
  };
  EXPECT_EQ(payload("s3"), hex_sha256(""));
  EXPECT_EQ(payload("aoss"), hex_sha256(""));
  EXPECT_EQ(payload("sns"), "");
}

TEST(RequestSigner, AnotherDayRegionOrSecretIsAnotherKey) {
  RequestSigner signer;
  const auto sign = [&](const AwsCredentials& keys, const char* region, Timestamp at) {
    return signature_in(value_of(signer.sign(s3_request(), keys, {region, "s3"}, at).headers, "Authorization"));
  };
  const std::string first = sign(kS3Keys, "us-east-1", kS3Time);
  EXPECT_EQ(first, sign(kS3Keys, "us-east-1", kS3Time));
  AwsCredentials other = kS3Keys;
  other.secret_access_key = "another";
  EXPECT_NE(first, sign(other, "us-east-1", kS3Time));
  EXPECT_NE(first, sign(kS3Keys, "us-east-2", kS3Time));
  EXPECT_NE(first, sign(kS3Keys, "us-east-1", kS3Time.next(kNanosPerDay)));
  EXPECT_EQ(first, sign(kS3Keys, "us-east-1", kS3Time));
}

/// A request that was signed and came over the wire.
class ReceivedRequest : public testing::Test {
 protected:
  ReceivedRequest() {
    AwsSigningRequest request;
    request.method = "POST";
    request.host = "logs.example.org:8443";
    request.path = "/api/v1/ingest/a b";
    request.query = {{"tenant", "x y"}, {"a", "1"}};
    request.headers = {{"Content-Type", "application/json"}};
    request.payload_hash = hex_sha256("{}");
    AwsCredentials keys = kS3Keys;
    keys.session_token = "session";
    take("POST", RequestSigner().sign(request, keys, {"eu-west-1", "dendro"}, kS3Time), request.host);
    received_.payload_hash = request.payload_hash;
  }
  void take(const std::string& method, const AwsWireRequest& wire, const std::string& host) {
    received_.method = method;
    const std::size_t question = wire.target.find('?');
    received_.path = wire.target.substr(0, question);
    received_.query = question == std::string::npos ? "" : wire.target.substr(question + 1);
    received_.headers = {{"host", host}, {"user-agent", "x"}};
    for (auto [name, value] : wire.headers) {
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      received_.headers.emplace_back(name, value);
    }
  }
  std::string verdict(Timestamp now = kS3Time, const std::string& secret = kS3Keys.secret_access_key) {
    const auto claim = read_signature_claim(received_);
    if (!claim) return claim.error().message();
    if (!*claim) return "no claim";
    EXPECT_EQ((*claim)->access_key_id, kS3Keys.access_key_id);
    const Status verified = verify_signature(received_, **claim, secret, now);
    if (!verified) EXPECT_EQ(verified.error().code(), ErrorCode::unauthenticated);
    return verified ? "good" : verified.error().message();
  }
  std::string& header(std::string_view name) {
    for (auto& [known, value] : received_.headers) {
      if (known == name) return value;
    }
    ADD_FAILURE() << name;
    return received_.headers.front().second;
  }
  ReceivedAwsRequest received_;
};

TEST_F(ReceivedRequest, IsVerified) {
  EXPECT_EQ(verdict(), "good");
  EXPECT_EQ(verdict(kS3Time.next(14 * 60 * kNanosPerSecond)), "good");
}

TEST_F(ReceivedRequest, IsRefusedWithAnotherSecretOrClock) {
  EXPECT_THAT(verdict(kS3Time, "wrong"), HasSubstr("does not match"));
  EXPECT_THAT(verdict(kS3Time.next(16 * 60 * kNanosPerSecond)), HasSubstr("too long ago"));
  EXPECT_THAT(verdict(kS3Time.next(-16 * 60 * kNanosPerSecond)), HasSubstr("future"));
}

TEST_F(ReceivedRequest, IsRefusedWhenAnythingOfItChanged) {
  const ReceivedAwsRequest good = received_;
  const auto refused = [&](const std::string& why) {
    EXPECT_THAT(verdict(), HasSubstr(why));
    received_ = good;
  };
  received_.method = "PUT";
  refused("does not match");
  received_.path += "x";
  refused("does not match");
  received_.query += "&more=1";
  refused("does not match");
  received_.query = "%zz";
  refused("malformed");
  received_.payload_hash = hex_sha256("{ }");
  refused("does not match");
  header("content-type") = "text/plain";
  refused("does not match");
  header("host") = "evil.example.org";
  refused("does not match");
  received_.headers.emplace_back("x-amz-target", "Something.Else");
  refused("x-amz-target is not signed");
  std::erase_if(received_.headers, [](const auto& pair) { return pair.first == "content-type"; });
  refused("a signed header is missing");
  header("x-amz-date") = "20130525T000000Z";
  refused("bad date");
  header("authorization") = "AWS4-HMAC-SHA256 Credential=a/b/c, Signature=1";
  refused("malformed credential");
  header("authorization") = "AWS4-HMAC-SHA256 nothing";
  refused("malformed Authorization");
  header("authorization") = "Bearer x";
  refused("no claim");
}

TEST_F(ReceivedRequest, HostMustBeSigned) {
  std::string& text = header("authorization");
  text.replace(text.find(";host"), 5, "");
  EXPECT_THAT(verdict(), HasSubstr("Host is not signed"));
}

TEST_F(ReceivedRequest, APresignedUrlHoldsUntilItExpires) {
  AwsSigningRequest request;
  request.host = "logs.example.org";
  request.path = "/b/k";
  request.payload_hash = hex_sha256("");
  const std::string target =
      RequestSigner().presign(request, kS3Keys, {"eu-west-1", "s3"}, kS3Time, std::chrono::minutes(30));
  received_ = {};
  take("GET", {target, {}}, request.host);
  EXPECT_EQ(verdict(kS3Time.next(29 * 60 * kNanosPerSecond)), "good");
  EXPECT_THAT(verdict(kS3Time.next(31 * 60 * kNanosPerSecond)), HasSubstr("expired"));
  received_.query.replace(received_.query.find("X-Amz-Expires=1800"), 18, "X-Amz-Expires=9999");
  EXPECT_THAT(verdict(), HasSubstr("does not match"));
  received_.query.replace(received_.query.find("X-Amz-Expires=9999"), 18, "X-Amz-Expires=x");
  EXPECT_THAT(verdict(), HasSubstr("bad X-Amz-Expires"));
}

}  // namespace
}  // namespace dendro
