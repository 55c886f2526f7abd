#include "adapters/aws/sts_roles.h"

#include "adapters/aws/aws_client.h"
#include "adapters/aws/aws_encoding.h"
#include "adapters/aws/aws_xml.h"

namespace dendro {
namespace {

constexpr std::string_view kStsVersion = "2011-06-15";
constexpr std::string_view kStsGlobalRegion = "us-east-1";

Result<AwsEndpoint> sts_endpoint(const AwsSettings& settings, std::string& region) {
  region = settings.region;
  const bool is_global = region.empty();
  if (is_global) region = kStsGlobalRegion;
  DENDRO_TRY_ASSIGN(AwsEndpoint endpoint, aws_endpoint(settings, "sts", region));
  if (is_global && !endpoint.is_override) endpoint.host = "sts.amazonaws.com";
  return endpoint;
}

Result<AwsCredentials> read_sts_credentials(std::string_view body) {
  DENDRO_TRY_ASSIGN(const AwsXmlElement root, parse_aws_xml(body));
  const AwsXmlElement* const found = root.find_below("Credentials");
  AwsCredentials credentials;
  if (found != nullptr) {
    credentials.access_key_id = found->text_of("AccessKeyId");
    credentials.secret_access_key = found->text_of("SecretAccessKey");
    credentials.session_token = found->text_of("SessionToken");
    credentials.expires = parse_rfc3339(found->text_of("Expiration"));
  }
  const bool is_whole = !credentials.access_key_id.empty() && !credentials.secret_access_key.empty() &&
                        !credentials.session_token.empty() && credentials.expires;
  if (!is_whole) return Error(ErrorCode::unauthenticated, "STS answered without a whole key pair");
  return credentials;
}

Result<AwsCredentials> call_sts(const CredentialSourceParts& parts, AwsPairs form, CredentialProvider* credentials) {
  AwsCall call;
  DENDRO_TRY_ASSIGN(call.endpoint, sts_endpoint(parts.settings, call.scope.region));
  call.scope.service = "sts";
  call.method = "POST";
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  form.emplace_back("Version", kStsVersion);
  call.body = aws_form_text(form);
  call.reply_bytes_max = std::uint64_t{1} << 20;
  call.time_max = std::chrono::seconds(10);
  AwsClient client({parts.http, parts.clock, parts.random, credentials});
  DENDRO_TRY_ASSIGN(const HttpClientReply reply, client.call_or_error(call));
  return read_sts_credentials(reply.body);
}

AwsPairs role_form(const CredentialSourceParts& parts, const StsRole& role, std::string_view action) {
  const std::string name = role.session_name.empty()
                               ? "dendro-" + std::to_string(parts.clock.now().number() / kNanosPerSecond)
                               : role.session_name;
  AwsPairs form = {{"Action", std::string(action)}, {"RoleArn", role.arn}, {"RoleSessionName", name}};
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  if (role.duration_s > 0) form.emplace_back("DurationSeconds", std::to_string(role.duration_s));
  return form;
}

}  // namespace

Result<AwsCredentials> assume_role(const CredentialSourceParts& parts, const StsRole& role,
                                   const AwsCredentials& signing_with) {
  FixedCredentials fixed(signing_with);
  return call_sts(parts, role_form(parts, role, "AssumeRole"), &fixed);
}

Result<AwsCredentials> assume_role_with_web_identity(const CredentialSourceParts& parts, const StsRole& role,
                                                     const std::string& token) {
  AwsPairs form = role_form(parts, role, "AssumeRoleWithWebIdentity");
  form.emplace_back("WebIdentityToken", token);
  return call_sts(parts, std::move(form), nullptr);
}

}  // namespace dendro
