// The chain against small servers of ours that play ECS, EKS, IMDS and STS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "adapters/aws/aws_encoding.h"
#include "adapters/aws/credential_chain.h"
#include "adapters/http/curl_http_client.h"
#include "tests/adapters/aws/scripted_http_server.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kStsReply =
    "<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Result><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"
    "<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>"
    "<Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></Result></R>";
constexpr const char* kJsonReply =
    R"({"Code":"Success","AccessKeyId":"ASIAJSON","SecretAccessKey":"json-secret","Token":"json-token",)"
    R"("Expiration":"2026-01-01T01:00:00Z"})";

class AwsCredentialsTest : public testing::Test {
 protected:
  AwsCredentialsTest() {
    environment_["HOME"] = folder_.path();
    environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  }
  AwsVariable variable() {
    return [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
  }
  CredentialProvider& chain() {
    if (chain_ == nullptr) {
      const auto read = AwsProfiles::read(variable(), *files_);
      EXPECT_TRUE(read.has_value());
      const auto profiles = std::make_shared<const AwsProfiles>(*read);
      chain_ = make_credential_chain(
          {*http_, clock_, random_, *files_, variable(), profiles, AwsSettings::read(variable(), profiles)});
    }
    return *chain_;
  }
  void serve(ScriptedHttpServer::Script script) { server_ = std::make_unique<ScriptedHttpServer>(std::move(script)); }
  std::string key_id() {
    const auto credentials = chain().get();
    return credentials ? credentials->access_key_id : "error: " + credentials.error().message();
  }
  /// The error of a chain; it must not tell any of the secrets of this file.
  std::string failure() {
    const auto credentials = chain().get();
    if (credentials) return "got " + credentials->access_key_id;
    for (const char* secret : {"-secret", "geheim", "token-text", "imds-token"}) {
      EXPECT_THAT(credentials.error().message(), Not(HasSubstr(secret)));
    }
    return credentials.error().message();
  }
  void use_sts() {
    environment_["AWS_ENDPOINT_URL_STS"] = server_->url();
    environment_["AWS_REGION"] = "eu-west-1";
  }
  void use_instance() {
    environment_.erase("AWS_EC2_METADATA_DISABLED");
    environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server_->url() + "/";
  }

  TemporaryFolder folder_;
  std::map<std::string, std::string> environment_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::unique_ptr<HttpClient> http_ = make_curl_http_client();
  ManualClock clock_{*parse_rfc3339("2026-01-01T00:00:00Z")};
  SystemRandom random_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<CredentialProvider> chain_;
};

TEST_F(AwsCredentialsTest, NoneIsToldWithTheRemedy) {
  EXPECT_THAT(failure(), HasSubstr("set AWS_ACCESS_KEY_ID"));
  EXPECT_EQ(chain().get().error().code(), ErrorCode::unauthenticated);
}

TEST_F(AwsCredentialsTest, EnvironmentComesFirst) {
  folder_.write(".aws/credentials", "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=geheim\n");
  environment_["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  environment_["AWS_SECRET_ACCESS_KEY"] = "geheim";
  environment_["AWS_SESSION_TOKEN"] = "token-text";
  EXPECT_EQ(key_id(), "AKIAENV");
  EXPECT_EQ(chain().get()->session_token, "token-text");
}

TEST_F(AwsCredentialsTest, HalfAnEnvironmentIsAnErrorNotAnotherSource) {
  folder_.write(".aws/credentials", "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=geheim\n");
  environment_["AWS_SECRET_ACCESS_KEY"] = "geheim";
  EXPECT_THAT(failure(), HasSubstr("AWS_ACCESS_KEY_ID"));
  environment_["AWS_ACCESS_KEY_ID"] = "AKIA\r\nX: y";
  chain_.reset();
  EXPECT_THAT(failure(), HasSubstr("without blanks"));
}

TEST_F(AwsCredentialsTest, ProfileFilesGiveKeyPairs) {
  folder_.write(".aws/credentials",
                "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=geheim\n"
                "[half]\naws_access_key_id=AKIAHALF\n");
  folder_.write(".aws/config", "[profile sso]\nsso_session=x\n");
  EXPECT_EQ(key_id(), "AKIAFILE");
  const std::pair<const char*, const char*> faulty[] = {
      {"half", "needs both"}, {"none", "there is no profile 'none'"}, {"sso", "sso_session is not supported"}};
  for (const auto& [profile, text] : faulty) {
    environment_["AWS_PROFILE"] = profile;
    chain_.reset();
    EXPECT_THAT(failure(), HasSubstr(text));
  }
}

TEST_F(AwsCredentialsTest, ARoleOfASourceProfileIsAskedForWithASignedCall) {
  std::string refusal;
  serve([&](const SeenRequest& request) {
    ReceivedAwsRequest received{request.method, request.path, request.query, request.headers, hex_sha256(request.body)};
    const auto claim = read_signature_claim(received);
    const bool is_good = claim && *claim && (*claim)->access_key_id == "AKIABASE" &&
                         (*claim)->scope.region == "eu-west-1" && (*claim)->scope.service == "sts" &&
                         verify_signature(received, **claim, "base-secret", clock_.now());
    return is_good ? http_reply(200, kStsReply)
                   : http_reply(403, "<E><Error><Code>SignatureDoesNotMatch</Code></Error></E>");
  });
  use_sts();
  environment_["AWS_PROFILE"] = "role";
  folder_.write(".aws/config",
                "[profile role]\nrole_arn = arn:aws:iam::1:role/logs\nsource_profile = base\nexternal_id = x&y\n"
                "role_session_name = me\nduration_seconds = 900\n");
  folder_.write(".aws/credentials", "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=base-secret\n");
  EXPECT_EQ(key_id(), "ASIAROLE");
  EXPECT_EQ(chain().get()->session_token, "role-token");
  ASSERT_EQ(server_->seen().size(), 1u);
  EXPECT_EQ(server_->seen()[0].body,
            "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Flogs&RoleSessionName=me&ExternalId=x%26y&"
            "DurationSeconds=900&Version=2011-06-15");
}

TEST_F(AwsCredentialsTest, RolesThatCannotWorkSayWhy) {
  const std::pair<const char*, const char*> faulty[] = {
      {"role_arn=r\n", "needs source_profile"},
      {"role_arn=r\nsource_profile=p\n", "its own source"},
      {"role_arn=r\nsource_profile=other\n", "there is no profile 'other'"},
      {"role_arn=r\ncredential_source=Environment\n", "has no credentials"},
      {"role_arn=r\ncredential_source=Nonsense\n", "needs source_profile"},
      {"role_arn=r\nduration_seconds=1h\n", "is no number"},
      {"role_arn=r\nmfa_serial=m\n", "cannot type"},
      {"role_arn=r\nweb_identity_token_file=/none\n", "/none"}};
  environment_["AWS_PROFILE"] = "p";
  for (const auto& [text, expected] : faulty) {
    folder_.write(".aws/config", std::string("[profile p]\n") + text);
    chain_.reset();
    EXPECT_THAT(failure(), HasSubstr(expected)) << text;
  }
}

TEST_F(AwsCredentialsTest, WebIdentityIsNotSignedAndReadsItsTokenEachTime) {
  serve([](const SeenRequest&) { return http_reply(200, kStsReply); });
  use_sts();
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.write("token", "token-text-1\n");
  environment_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  environment_["AWS_ROLE_SESSION_NAME"] = "pod";
  EXPECT_EQ(key_id(), "ASIAROLE");
  folder_.write("token", "token-text-2\n");
  clock_.advance(std::chrono::minutes(56));
  EXPECT_EQ(key_id(), "ASIAROLE");
  const auto seen = server_->seen();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_THAT(seen[0].body, HasSubstr("WebIdentityToken=token-text-1&"));
  EXPECT_THAT(seen[1].body, HasSubstr("WebIdentityToken=token-text-2&"));
  for (const SeenRequest& request : seen) {
    EXPECT_EQ(request.header("authorization"), "");
    EXPECT_EQ(request.header("x-amz-date"), "");
  }
}

TEST_F(AwsCredentialsTest, WebIdentityFaultsAreToldWithoutTheToken) {
  serve([](const SeenRequest&) {
    return http_reply(400, "<E><Error><Code>InvalidIdentityToken</Code><Message>no</Message></Error></E>");
  });
  use_sts();
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.write("token", "token-text\n");
  EXPECT_THAT(failure(), HasSubstr("AWS_ROLE_ARN is not"));
  environment_["AWS_ROLE_ARN"] = "r";
  EXPECT_THAT(failure(), HasSubstr("InvalidIdentityToken"));
  folder_.write("token", "\n");
  EXPECT_THAT(failure(), HasSubstr("is empty"));
}

TEST_F(AwsCredentialsTest, StsAnswersThatAreNoneAreRefused) {
  std::string answer;
  serve([&answer](const SeenRequest&) { return http_reply(200, answer); });
  use_sts();
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.write("token", "token-text");
  environment_["AWS_ROLE_ARN"] = "r";
  for (const char* text : {"", "{}", "<R/>", "<R><Credentials><AccessKeyId>A</AccessKeyId></Credentials></R>",
                           "<R><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey>"
                           "<SessionToken>t</SessionToken><Expiration>soon</Expiration></Credentials></R>"}) {
    answer = text;
    EXPECT_THAT(failure(), HasSubstr("web identity")) << text;
  }
}

TEST_F(AwsCredentialsTest, ContainersReadTheirTokenFileEachTime) {
  serve([](const SeenRequest&) { return http_reply(200, kJsonReply); });
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server_->url() + "/v2/credentials?id=1";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = folder_.write("token", "one\n");
  EXPECT_EQ(key_id(), "ASIAJSON");
  folder_.write("token", "two\n");
  clock_.advance(std::chrono::minutes(56));
  EXPECT_EQ(key_id(), "ASIAJSON");
  const auto seen = server_->seen();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].path + "?" + seen[0].query, "/v2/credentials?id=1");
  EXPECT_EQ(seen[0].header("authorization"), "one");
  EXPECT_EQ(seen[1].header("authorization"), "two");
}

TEST_F(AwsCredentialsTest, ContainerTokensGoNowhereElse) {
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "token-text";
  for (const char* url : {"http://example.org/", "http://127.evil.example.org/", "http://169.254.170.3/",
                          "ftp://localhost", "http://localhost@example.org/", "http://[::2]/"}) {
    environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    chain_.reset();
    EXPECT_THAT(failure(), HasSubstr("must be https")) << url;
  }
  const auto allowed = [](const char* url) { return is_container_endpoint_allowed(*parse_aws_endpoint(url)); };
  for (const char* url : {"https://example.org", "http://localhost:1", "http://127.0.0.1", "http://127.1.2.3:9",
                          "http://[::1]:8", "http://169.254.170.2", "http://169.254.170.23", "http://[fd00:ec2::23]"}) {
    EXPECT_TRUE(allowed(url)) << url;
  }
}

TEST_F(AwsCredentialsTest, ContainerFaultsAreToldAndPassingOnesTriedAgain) {
  int count = 0;
  std::string answer = http_reply(200, kJsonReply);
  serve([&](const SeenRequest&) { return ++count < 3 ? http_reply(500, "geheim") : answer; });
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server_->url() + "/";
  EXPECT_EQ(key_id(), "ASIAJSON");
  EXPECT_EQ(count, 3);
  const std::pair<std::string, const char*> answers[] = {
      {http_reply(404, "geheim"), "answered 404"},
      {http_reply(200, "geheim"), "not JSON"},
      {http_reply(200, "[]"), "lacks"},
      {http_reply(200, R"({"AccessKeyId":"A","SecretAccessKey":"geheim"})"), "lacks"},
      {http_reply(200, R"({"AccessKeyId":"A\r\nX: y","SecretAccessKey":"geheim","Expiration":"2026-01-01T01:00:00Z"})"),
       "lacks"},
      {http_reply(200, R"({"Code":"AssumeRoleUnauthorizedAccess"})"), "not Success"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"AccessKeyId\":\"geheim", "127.0.0.1"},
      {"nonsense geheim", "127.0.0.1"}};
  for (const auto& [bytes, expected] : answers) {
    answer = bytes;
    chain_.reset();
    EXPECT_THAT(failure(), HasSubstr(expected)) << bytes;
  }
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nb";
  chain_.reset();
  EXPECT_THAT(failure(), HasSubstr("control characters"));
}

TEST_F(AwsCredentialsTest, ASlowContainerEndpointIsGivenUp) {
  serve([](const SeenRequest&) { return std::string(); });
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server_->url() + "/";
  EXPECT_THAT(failure(), HasSubstr("container"));
  EXPECT_EQ(server_->seen().size(), 3u);
}

TEST_F(AwsCredentialsTest, InstancesAreAskedByTheSecondVersion) {
  serve([](const SeenRequest& request) {
    const bool has_token = request.header("x-aws-ec2-metadata-token") == "imds-token";
    if (request.method == "PUT" && request.path == "/latest/api/token") {
      return request.header("x-aws-ec2-metadata-token-ttl-seconds").empty() ? http_reply(400, "")
                                                                            : http_reply(200, "imds-token");
    }
    if (!has_token) return http_reply(401, "");
    if (request.path == "/latest/meta-data/iam/security-credentials/") return http_reply(200, "logs-role\n");
    return request.path == "/latest/meta-data/iam/security-credentials/logs-role" ? http_reply(200, kJsonReply)
                                                                                  : http_reply(404, "");
  });
  use_instance();
  EXPECT_EQ(key_id(), "ASIAJSON");
  EXPECT_EQ(server_->seen().size(), 3u);
  environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  chain_.reset();
  EXPECT_THAT(failure(), HasSubstr("no AWS credentials"));
  EXPECT_EQ(server_->seen().size(), 3u);
}

TEST_F(AwsCredentialsTest, AnInstanceWithoutRoleOrServerHasNone) {
  int token_status = 200, list_status = 404;
  serve([&](const SeenRequest& request) {
    return request.method == "PUT" ? http_reply(token_status, "t") : http_reply(list_status, "../geheim");
  });
  use_instance();
  EXPECT_THAT(failure(), HasSubstr("no AWS credentials"));
  list_status = 200;
  EXPECT_THAT(failure(), HasSubstr("the list of roles"));
  token_status = 403;
  EXPECT_THAT(failure(), HasSubstr("no AWS credentials"));
  token_status = 500;
  EXPECT_THAT(failure(), HasSubstr("answered with 500"));
  server_.reset();
  EXPECT_THAT(failure(), HasSubstr("hop limit"));
}

TEST_F(AwsCredentialsTest, RenewsFiveMinutesBeforeTheEnd) {
  int count = 0;
  bool is_down = false;
  std::string end = "2026-01-01T01:00:00Z";
  serve([&](const SeenRequest&) {
    ++count;
    return is_down ? http_reply(404, "")
                   : http_reply(200, R"({"AccessKeyId":"K)" + std::to_string(count) +
                                         R"(","SecretAccessKey":"s","Expiration":")" + end + R"("})");
  });
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server_->url() + "/";
  EXPECT_EQ(key_id(), "K1");
  clock_.advance(std::chrono::minutes(54));
  EXPECT_EQ(key_id(), "K1");
  // The source is down: the old pair serves, and is not asked about at each call.
  is_down = true;
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(key_id(), "K1");
  EXPECT_EQ(key_id(), "K1");
  EXPECT_EQ(count, 2);
  // Nearly at its end it is no use any more.
  clock_.advance(std::chrono::seconds(230));
  EXPECT_THAT(failure(), HasSubstr("answered 404"));
  is_down = false;
  end = "2026-01-01T02:00:00Z";
  EXPECT_EQ(key_id(), "K4");
  chain().forget("other");
  EXPECT_EQ(key_id(), "K4");
  chain().forget("K4");
  EXPECT_EQ(key_id(), "K5");
}

}  // namespace
}  // namespace dendro
