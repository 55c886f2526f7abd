#include "adapters/aws/credential_sources.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "adapters/aws/sts_roles.h"
#include "base/json_document.h"

namespace dendro {
namespace {

constexpr std::uint64_t kTokenFileBytesMax = 64 << 10;
constexpr std::uint64_t kCredentialReplyBytesMax = 64 << 10;
constexpr std::chrono::milliseconds kContainerTimeMax{2'000};
constexpr std::chrono::milliseconds kInstanceTimeMax{1'000};
constexpr int kContainerTries = 3;

Error bad_credentials(const std::string& what) {
  return Error(ErrorCode::unauthenticated, what);
}

std::string value_of_variable(const CredentialSourceParts& parts, const std::string& name) {
  return parts.variable(name).value_or("");
}

/// What ends a header or a line early cannot be part of a key or token.
bool is_plain_text(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// A token without the line feed at its end.
Result<std::string> read_token_file(const CredentialSourceParts& parts, const std::string& path) {
  DENDRO_TRY_ASSIGN(std::string token, read_whole_file(parts.files, path, kTokenFileBytesMax));
  while (token.ends_with('\n') || token.ends_with('\r') || token.ends_with(' ')) token.pop_back();
  if (token.empty()) return bad_credentials("the token file " + path + " is empty");
  return token;
}

std::string member_text(const JsonValue& document, std::string_view name) {
  const JsonValue* const value = document.find(name);
  return value == nullptr ? std::string() : std::string(value->as_string().value_or(""));
}

/// The JSON that containers and instances are told by.
FoundCredentials read_credential_json(std::string_view body) {
  const Result<JsonValue> document = parse_json_document(body);
  if (!document) return bad_credentials("the answer is not JSON");
  const std::string code = member_text(*document, "Code");
  if (!code.empty() && code != "Success") return bad_credentials("the answer is not Success");
  AwsCredentials credentials;
  credentials.access_key_id = member_text(*document, "AccessKeyId");
  credentials.secret_access_key = member_text(*document, "SecretAccessKey");
  credentials.session_token = member_text(*document, "Token");
  credentials.expires = parse_rfc3339(member_text(*document, "Expiration"));
  if (!is_plain_text(credentials.access_key_id) || !is_plain_text(credentials.secret_access_key) ||
      (!credentials.session_token.empty() && !is_plain_text(credentials.session_token)) || !credentials.expires) {
    return bad_credentials("the answer lacks AccessKeyId, SecretAccessKey or Expiration");
  }
  return std::optional<AwsCredentials>(std::move(credentials));
}

/// Never by a proxy: what comes back is a secret of this machine.
HttpClientRequest metadata_request(std::string method, std::string url, std::chrono::milliseconds time_max) {
  HttpClientRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.connect_timeout = time_max;
  request.timeout = time_max;
  request.reply_bytes_max = kCredentialReplyBytesMax;
  request.bypasses_proxy = true;
  return request;
}

}  // namespace

FoundCredentials environment_credentials(const CredentialSourceParts& parts) {
  AwsCredentials credentials;
  credentials.access_key_id = value_of_variable(parts, "AWS_ACCESS_KEY_ID");
  credentials.secret_access_key = value_of_variable(parts, "AWS_SECRET_ACCESS_KEY");
  credentials.session_token = value_of_variable(parts, "AWS_SESSION_TOKEN");
  if (credentials.access_key_id.empty() && credentials.secret_access_key.empty()) {
    return std::optional<AwsCredentials>();
  }
  if (!is_plain_text(credentials.access_key_id) || !is_plain_text(credentials.secret_access_key)) {
    return bad_credentials("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must both be set, without blanks");
  }
  if (!credentials.session_token.empty() && !is_plain_text(credentials.session_token)) {
    return bad_credentials("AWS_SESSION_TOKEN holds blanks");
  }
  return std::optional<AwsCredentials>(std::move(credentials));
}

FoundCredentials web_identity_credentials(const CredentialSourceParts& parts) {
  const std::string path = value_of_variable(parts, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const std::string role = value_of_variable(parts, "AWS_ROLE_ARN");
  if (path.empty()) return std::optional<AwsCredentials>();
  if (role.empty()) return bad_credentials("AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
  DENDRO_TRY_ASSIGN(const std::string token, read_token_file(parts, path));
  DENDRO_TRY_ASSIGN(
      AwsCredentials credentials,
      assume_role_with_web_identity(parts, {role, value_of_variable(parts, "AWS_ROLE_SESSION_NAME"), "", 0}, token));
  return std::optional<AwsCredentials>(std::move(credentials));
}

namespace {

/// Follows source_profile from profile to profile.
class ProfileWalk {
 public:
  explicit ProfileWalk(const CredentialSourceParts& parts) : parts_(parts) {}

  FoundCredentials run(const std::string& name) {
    const AwsProfile* const profile = parts_.profiles->find(name);
    if (profile == nullptr) return bad_credentials("there is no profile '" + name + "'");
    if (!seen_.insert(name).second) {
      // A profile may name itself as the source of its role: then its own key pair signs.
      if (has(*profile, "aws_access_key_id")) return key_pair(name, *profile);
      return bad_credentials("profile '" + name + "' is its own source");
    }
    if (has(*profile, "role_arn")) return role(name, *profile);
    if (has(*profile, "aws_access_key_id") || has(*profile, "aws_secret_access_key")) return key_pair(name, *profile);
    for (const char* unknown : {"credential_process", "sso_session", "sso_start_url"}) {
      if (has(*profile, unknown)) {
        return bad_credentials("profile '" + name + "': " + unknown +
                               " is not supported; export a key pair (aws configure export-credentials)");
      }
    }
    return std::optional<AwsCredentials>();
  }

 private:
  static std::string setting(const AwsProfile& profile, const std::string& name) {
    const auto found = profile.find(name);
    return found == profile.end() ? "" : found->second;
  }
  static bool has(const AwsProfile& profile, const std::string& name) { return !setting(profile, name).empty(); }

  static FoundCredentials key_pair(const std::string& name, const AwsProfile& profile) {
    AwsCredentials credentials;
    credentials.access_key_id = setting(profile, "aws_access_key_id");
    credentials.secret_access_key = setting(profile, "aws_secret_access_key");
    credentials.session_token = setting(profile, "aws_session_token");
    if (!is_plain_text(credentials.access_key_id) || !is_plain_text(credentials.secret_access_key)) {
      return bad_credentials("profile '" + name + "' needs both aws_access_key_id and aws_secret_access_key");
    }
    return std::optional<AwsCredentials>(std::move(credentials));
  }

  FoundCredentials role(const std::string& name, const AwsProfile& profile) {
    StsRole role{setting(profile, "role_arn"), setting(profile, "role_session_name"), setting(profile, "external_id"),
                 0};
    const std::string seconds = setting(profile, "duration_seconds");
    const auto parsed = std::from_chars(seconds.data(), seconds.data() + seconds.size(), role.duration_s);
    if (!seconds.empty() && (parsed.ec != std::errc() || parsed.ptr != seconds.data() + seconds.size())) {
      return bad_credentials("profile '" + name + "': duration_seconds is no number");
    }
    if (has(profile, "mfa_serial")) {
      return bad_credentials("profile '" + name + "': mfa_serial: a service cannot type a code");
    }
    if (const std::string path = setting(profile, "web_identity_token_file"); !path.empty()) {
      DENDRO_TRY_ASSIGN(const std::string token, read_token_file(parts_, path));
      DENDRO_TRY_ASSIGN(AwsCredentials credentials, assume_role_with_web_identity(parts_, role, token));
      return std::optional<AwsCredentials>(std::move(credentials));
    }
    DENDRO_TRY_ASSIGN(const std::optional<AwsCredentials> source, source_of(name, profile));
    if (!source) return bad_credentials("profile '" + name + "': the source of its role has no credentials");
    DENDRO_TRY_ASSIGN(AwsCredentials credentials, assume_role(parts_, role, *source));
    return std::optional<AwsCredentials>(std::move(credentials));
  }

  FoundCredentials source_of(const std::string& name, const AwsProfile& profile) {
    if (const std::string source = setting(profile, "source_profile"); !source.empty()) return run(source);
    const std::string source = setting(profile, "credential_source");
    if (source == "Environment") return environment_credentials(parts_);
    if (source == "EcsContainer") return container_credentials(parts_);
    if (source == "Ec2InstanceMetadata") return instance_credentials(parts_);
    return bad_credentials("profile '" + name +
                           "': role_arn needs source_profile, web_identity_token_file or credential_source "
                           "(Environment, EcsContainer, Ec2InstanceMetadata)");
  }

  const CredentialSourceParts& parts_;
  std::set<std::string> seen_;
};

}  // namespace

FoundCredentials profile_credentials(const CredentialSourceParts& parts) {
  const AwsProfiles& profiles = *parts.profiles;
  if (profiles.find(profiles.chosen()) == nullptr && !profiles.is_chosen_by_name()) {
    return std::optional<AwsCredentials>();
  }
  return ProfileWalk(parts).run(profiles.chosen());
}

bool is_container_endpoint_allowed(const AwsEndpoint& endpoint) {
  if (endpoint.scheme == "https") return true;
  const std::string& authority = endpoint.host;
  const std::string host = authority.starts_with('[') ? authority.substr(0, authority.find(']') + 1)
                                                      : authority.substr(0, authority.find(':'));
  constexpr std::string_view kAllowed[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  if (std::find(std::begin(kAllowed), std::end(kAllowed), host) != std::end(kAllowed)) return true;
  return host.starts_with("127.") &&
         std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

namespace {

Result<std::string> container_url(const CredentialSourceParts& parts) {
  const std::string relative = value_of_variable(parts, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) {
    if (!relative.starts_with('/')) return bad_credentials("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with /");
    return "http://169.254.170.2" + relative;
  }
  const std::string url = value_of_variable(parts, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const Result<AwsEndpoint> endpoint = parse_aws_endpoint(url.substr(0, url.find_first_of("?#")));
  if (!endpoint || !is_container_endpoint_allowed(*endpoint)) {
    return bad_credentials(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this machine, 169.254.170.2, 169.254.170.23 or "
        "fd00:ec2::23");
  }
  return url;
}

/// Read each time: EKS changes the file.
Result<std::string> container_authorization(const CredentialSourceParts& parts) {
  const std::string path = value_of_variable(parts, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = value_of_variable(parts, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!path.empty()) {
    DENDRO_TRY_ASSIGN(token, read_token_file(parts, path));
  }
  const bool has_control = std::any_of(token.begin(), token.end(), [](char c) { return c < 0x20 || c >= 0x7F; });
  if (has_control) return bad_credentials("the authorization token holds control characters");
  return token;
}

}  // namespace

FoundCredentials container_credentials(const CredentialSourceParts& parts) {
  if (value_of_variable(parts, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() &&
      value_of_variable(parts, "AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()) {
    return std::optional<AwsCredentials>();
  }
  DENDRO_TRY_ASSIGN(const std::string url, container_url(parts));
  DENDRO_TRY_ASSIGN(const std::string token, container_authorization(parts));
  HttpClientRequest request = metadata_request("GET", url, kContainerTimeMax);
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  for (int tried = 1;; ++tried) {
    const Result<HttpClientReply> reply = parts.http.exchange(request, nullptr);
    const bool is_theirs = !reply || reply->status >= 500 || reply->status == 429;
    if (is_theirs && tried < kContainerTries) continue;
    if (!reply) return reply.error();
    if (reply->status != 200) return bad_credentials("the endpoint answered " + std::to_string(reply->status));
    return read_credential_json(reply->body);
  }
}

namespace {

/// IMDSv2: a token first, then what it is good for.
class InstanceMetadata {
 public:
  explicit InstanceMetadata(const CredentialSourceParts& parts) : parts_(parts) {
    origin_ = value_of_variable(parts, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const bool is_six = value_of_variable(parts, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == "IPv6";
    if (origin_.empty()) origin_ = is_six ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    while (origin_.ends_with('/')) origin_.pop_back();
  }

  /// False where no such server answers: this is no instance, or it may not ask.
  Result<bool> open() {
    HttpClientRequest request = metadata_request("PUT", origin_ + "/latest/api/token", kInstanceTimeMax);
    request.headers.emplace_back("X-aws-ec2-metadata-token-ttl-seconds", "21600");
    const Result<HttpClientReply> reply = parts_.http.exchange(request, nullptr);
    if (!reply) return false;
    if (reply->status == 403 || reply->status == 404 || reply->status == 405) return false;
    if (reply->status != 200 || !is_plain_text(reply->body)) {
      return bad_credentials("the token request was answered with " + std::to_string(reply->status));
    }
    token_ = reply->body;
    return true;
  }

  Result<HttpClientReply> get(const std::string& path) {
    HttpClientRequest request = metadata_request("GET", origin_ + path, kInstanceTimeMax);
    request.headers.emplace_back("X-aws-ec2-metadata-token", token_);
    return parts_.http.exchange(request, nullptr);
  }

 private:
  const CredentialSourceParts& parts_;
  std::string origin_, token_;
};

}  // namespace

FoundCredentials instance_credentials(const CredentialSourceParts& parts) {
  constexpr const char* kRoles = "/latest/meta-data/iam/security-credentials/";
  const std::string disabled = value_of_variable(parts, "AWS_EC2_METADATA_DISABLED");
  if (disabled == "true" || disabled == "TRUE" || disabled == "True") return std::optional<AwsCredentials>();
  InstanceMetadata metadata(parts);
  DENDRO_TRY_ASSIGN(const bool is_there, metadata.open());
  if (!is_there) return std::optional<AwsCredentials>();
  DENDRO_TRY_ASSIGN(const HttpClientReply roles, metadata.get(kRoles));
  if (roles.status == 404) return std::optional<AwsCredentials>();  // an instance without a role
  const std::string role = roles.body.substr(0, roles.body.find_first_of("\r\n"));
  if (roles.status != 200 || !is_plain_text(role) || role.find_first_of("/?#%") != std::string::npos) {
    return bad_credentials("the list of roles was answered with " + std::to_string(roles.status));
  }
  DENDRO_TRY_ASSIGN(const HttpClientReply reply, metadata.get(kRoles + role));
  if (reply.status != 200) return bad_credentials("the role was answered with " + std::to_string(reply.status));
  return read_credential_json(reply.body);
}

}  // namespace dendro
