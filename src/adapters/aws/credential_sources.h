#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/aws/aws_settings.h"
#include "adapters/aws/request_signer.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/http_client.h"

namespace dendro {

/// A key pair, or nothing where a source is not set up here.
using FoundCredentials = Result<std::optional<AwsCredentials>>;

/// What sources read from. All of it outlives them.
struct CredentialSourceParts {
  HttpClient& http;
  const Clock& clock;
  RandomSource& random;
  FileSystem& files;
  AwsVariable variable;
  std::shared_ptr<const AwsProfiles> profiles;
  AwsSettings settings;
};

// Each asks anew at every call: files and endpoints change. Errors: unauthenticated (set up, but wrong: the text says
// where), those of the files and servers asked; never a text that such a server sent.

/// AWS_ACCESS_KEY_ID and the others of its family.
FoundCredentials environment_credentials(const CredentialSourceParts& parts);
/// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: a token of Kubernetes for a role, by an unsigned call of STS.
FoundCredentials web_identity_credentials(const CredentialSourceParts& parts);
/// The chosen profile: a key pair, a role by source_profile or credential_source, or a web identity.
FoundCredentials profile_credentials(const CredentialSourceParts& parts);
/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS, EKS Pod Identity.
FoundCredentials container_credentials(const CredentialSourceParts& parts);
/// The role of an EC2 instance by IMDSv2, 1 s a request. Nothing where no such server answers.
FoundCredentials instance_credentials(const CredentialSourceParts& parts);

/// Whether a token may be sent there: https, this machine, and the addresses of ECS and EKS.
bool is_container_endpoint_allowed(const AwsEndpoint& endpoint);

}  // namespace dendro
