// What is read: XML, faults, profile files, endpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/aws/aws_client.h"
#include "adapters/aws/aws_encoding.h"
#include "adapters/aws/aws_fault.h"
#include "adapters/aws/aws_settings.h"
#include "adapters/aws/aws_xml.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AwsXml, GivesElementsTextsAndNoPrefixes) {
  const auto root = parse_aws_xml(
      "<?xml version=\"1.0\"?><s:R xmlns:s=\"x\"><K> a&lt;&#98; </K><K>2</K><B><C><![CDATA[<d>]]></C></B></s:R>");
  ASSERT_TRUE(root.has_value()) << root.error().message();
  EXPECT_EQ(root->name, "R");
  EXPECT_EQ(root->text_of("K"), " a<b ");
  EXPECT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->find_below("C")->text, "<d>");
  EXPECT_EQ(root->text_of("none"), "");
  EXPECT_EQ(root->find_below("none"), nullptr);
}

TEST(AwsXml, ResolvesNoEntityOfADocument) {
  const auto root = parse_aws_xml("<!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><r><k>&a;</k></r>");
  if (root) EXPECT_EQ(root->text_of("k"), "&a;");
}

TEST(AwsXml, RefusesWhatNoServiceSends) {
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += "<a>";
    for (int i = 0; i < levels; ++i) text += "</a>";
    return text;
  };
  std::string wide = "<r>";
  for (std::size_t i = 0; i <= kAwsXmlElementsMax; ++i) wide += "<a/>";
  EXPECT_TRUE(parse_aws_xml(nested(kAwsXmlDepthMax + 1)).has_value());
  const std::string texts[] = {"",
                               "{}",
                               "<a><b></a>",
                               "<a>",
                               nested(kAwsXmlDepthMax + 2),
                               nested(100'000),
                               wide + "</r>",
                               std::string(kAwsXmlBytesMax + 1, ' ')};
  for (const std::string& text : texts) {
    const auto root = parse_aws_xml(text);
    ASSERT_FALSE(root.has_value()) << text.substr(0, 40);
    EXPECT_EQ(root.error().code(), ErrorCode::io_error);
  }
}

AwsFault fault_of(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
  return read_aws_fault({status, std::move(headers), std::move(body)});
}

TEST(AwsFault, IsReadFromXmlOfS3AndOfQueryServicesAndFromJson) {
  const AwsFault s3 = fault_of(404, "<Error><Code>NoSuchBucket</Code><Message>Not\nthere</Message></Error>");
  EXPECT_EQ(s3.code, "NoSuchBucket");
  EXPECT_EQ(s3.message, "Not there");
  EXPECT_EQ(
      fault_of(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>").code,
      "AccessDenied");
  EXPECT_EQ(fault_of(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"})").code,
            "QueueDoesNotExist");
  EXPECT_EQ(fault_of(400, R"({"message":"slow"})", {{"x-amzn-errortype", "ThrottlingException:http://x/"}}).code,
            "ThrottlingException");
  // JSON services of some servers refuse in XML.
  EXPECT_EQ(fault_of(403, "<Response><Errors><Error><Code>SignatureDoesNotMatch</Code></Error></Errors></Response>",
                     {{"content-type", "application/x-amz-json-1.0"}})
                .code,
            "SignatureDoesNotMatch");
  EXPECT_EQ(
      fault_of(301, "<Error><Code>PermanentRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}}).region,
      "eu-west-1");
}

TEST(AwsFault, OfNoKnownFormHasItsStatus) {
  for (const char* body : {"", "<html>", "{", "busy", "<Error><Code>a b\r\nX: y</Code></Error>"}) {
    EXPECT_EQ(fault_of(502, body).code, "HTTP502") << body;
  }
  EXPECT_EQ(
      fault_of(500, "<Error><Code>X</Code><Message>" + std::string(5'000, 'm') + "</Message></Error>").message.size(),
      512u);
}

TEST(AwsFault, BecomesACodeThatSaysWhatToDo) {
  const auto code = [](int status, const std::string& word) {
    return aws_error(fault_of(status, "<Error><Code>" + word + "</Code></Error>")).code();
  };
  EXPECT_EQ(code(503, "SlowDown"), ErrorCode::resource_exhausted);
  EXPECT_EQ(code(400, "ThrottlingException"), ErrorCode::resource_exhausted);
  EXPECT_EQ(code(429, "Whatever"), ErrorCode::resource_exhausted);
  EXPECT_EQ(code(403, "AccessDenied"), ErrorCode::permission_denied);
  EXPECT_EQ(code(403, "InvalidObjectState"), ErrorCode::permission_denied);
  EXPECT_EQ(code(403, "InvalidAccessKeyId"), ErrorCode::unauthenticated);
  EXPECT_EQ(code(403, "SignatureDoesNotMatch"), ErrorCode::unauthenticated);
  EXPECT_EQ(code(400, "ExpiredToken"), ErrorCode::unauthenticated);
  EXPECT_EQ(code(404, "NoSuchKey"), ErrorCode::not_found);
  EXPECT_EQ(code(400, "InvalidBucketName"), ErrorCode::not_found);
  EXPECT_EQ(code(412, "PreconditionFailed"), ErrorCode::already_exists);
  EXPECT_EQ(code(400, "EntityTooLarge"), ErrorCode::too_large);
  EXPECT_EQ(code(400, "RequestTimeout"), ErrorCode::deadline_exceeded);
  EXPECT_EQ(code(400, "Whatever"), ErrorCode::invalid_argument);
  EXPECT_EQ(code(501, "NotImplemented"), ErrorCode::unimplemented);
  EXPECT_EQ(code(500, "InternalError"), ErrorCode::io_error);
  EXPECT_EQ(code(503, "ServiceUnavailable"), ErrorCode::unavailable);
  EXPECT_EQ(aws_error(fault_of(404, "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>")).message(),
            "NoSuchKey: gone");
}

TEST(HttpDate, IsReadInItsOneForm) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), parse_rfc3339("1994-11-06T08:49:37Z"));
  for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Xov 1994 08:49:37 GMT", "Sun, 36 Nov 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(AwsEncoding, DecodesWhatItEncodes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(aws_percent_decode(aws_percent_encode(all, KeepSlash::no)), all);
  EXPECT_EQ(aws_percent_decode("a%2fb"), "a/b");
  for (const char* bad : {"%", "%2", "%zz", "a%2"}) EXPECT_FALSE(aws_percent_decode(bad)) << bad;
  EXPECT_EQ(aws_percent_decode("%41"), "A");
}

class AwsSettingsTest : public testing::Test {
 protected:
  AwsVariable variable() {
    return [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
  }
  AwsSettings read() {
    environment_.emplace("HOME", folder_.path());
    Result<AwsProfiles> profiles = AwsProfiles::read(variable(), *files_);
    EXPECT_TRUE(profiles.has_value()) << profiles.error().message();
    return AwsSettings::read(variable(), std::make_shared<const AwsProfiles>(*profiles));
  }
  std::string endpoint(const AwsSettings& settings, const char* service, const std::string& region = "eu-west-1") {
    const auto found = aws_endpoint(settings, service, region);
    return found ? found->scheme + "://" + found->host + found->base_path : found.error().message();
  }
  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::map<std::string, std::string> environment_;
};

TEST_F(AwsSettingsTest, KnowsTheRegionalHosts) {
  AwsSettings settings = read();
  EXPECT_EQ(endpoint(settings, "s3"), "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(endpoint(settings, "sqs", "cn-north-1"), "https://sqs.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(endpoint(settings, "sts", "us-gov-west-1"), "https://sts.us-gov-west-1.amazonaws.com");
  EXPECT_THAT(endpoint(settings, "sns", ""), HasSubstr("set AWS_REGION"));
  EXPECT_THAT(endpoint(settings, "sns", "evil.example.org/"), HasSubstr("no AWS region"));
  settings.uses_fips = true;
  EXPECT_EQ(endpoint(settings, "s3"), "https://s3-fips.eu-west-1.amazonaws.com");
}

TEST_F(AwsSettingsTest, OverridesByServiceBeatTheGeneralOne) {
  environment_ = {{"AWS_ENDPOINT_URL", "http://127.0.0.1:5000/"}, {"AWS_ENDPOINT_URL_S3", "https://minio:443/base"}};
  const AwsSettings settings = read();
  EXPECT_EQ(endpoint(settings, "s3"), "https://minio/base");
  EXPECT_EQ(endpoint(settings, "sqs", ""), "http://127.0.0.1:5000");
}

TEST_F(AwsSettingsTest, ABadOverrideIsToldWithoutItsSecret) {
  for (const char* url : {"ftp://x", "http://user:geheim@x", "http://x?geheim", "geheim", "http://"}) {
    environment_["AWS_ENDPOINT_URL"] = url;
    const std::string text = endpoint(read(), "s3");
    EXPECT_THAT(text, HasSubstr("endpoint")) << url;
    EXPECT_THAT(text, Not(HasSubstr("geheim"))) << url;
  }
}

TEST_F(AwsSettingsTest, ReadsTheProfileFiles) {
  folder_.write(".aws/config",
                "# a comment\n[default]\nregion = eu-central-1 ; here\n\n[profile ops]\nregion=us-east-2\n"
                "endpoint_url = http://localhost:1\ns3 =\n  addressing_style = path\nservices = near\n"
                "[services near]\nsns =\n    endpoint_url = http://localhost:2\n");
  EXPECT_EQ(read().region, "eu-central-1");
  environment_["AWS_PROFILE"] = "ops";
  const AwsSettings ops = read();
  EXPECT_EQ(ops.region, "us-east-2");
  EXPECT_EQ(ops.s3_addressing, "path");
  EXPECT_EQ(endpoint(ops, "sns"), "http://localhost:2");
  EXPECT_EQ(endpoint(ops, "s3"), "http://localhost:1");
  environment_["AWS_DEFAULT_REGION"] = "ap-south-1";
  EXPECT_EQ(read().region, "ap-south-1");
  environment_["AWS_REGION"] = "sa-east-1";
  EXPECT_EQ(read().region, "sa-east-1");
  environment_["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(endpoint(read(), "s3"), "https://s3.eu-west-1.amazonaws.com");
}

TEST_F(AwsSettingsTest, AFaultyProfileFileIsToldByLineOnly) {
  folder_.write(".aws/credentials", "[default]\naws_secret_access_key = a\ngeheim\n");
  environment_.emplace("HOME", folder_.path());
  const auto profiles = AwsProfiles::read(variable(), *files_);
  ASSERT_FALSE(profiles.has_value());
  EXPECT_EQ(profiles.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(profiles.error().message(), HasSubstr("line 3"));
  EXPECT_THAT(profiles.error().message(), Not(HasSubstr("geheim")));
}

TEST(AwsBuckets, CanBePartOfAHostWithoutDots) {
  for (const char* good : {"abc", "my-logs-2025"}) EXPECT_TRUE(is_dns_bucket(good)) << good;
  for (const std::string& bad : {std::string("ab"), std::string("a.b.c"), std::string("Abc"), std::string("-abc"),
                                 std::string("abc-"), std::string("a_b_c"), std::string(64, 'a')}) {
    EXPECT_FALSE(is_dns_bucket(bad)) << bad;
  }
}

}  // namespace
}  // namespace dendro
