#pragma once

#include <string>

#include "adapters/aws/credential_sources.h"

namespace dendro {

/// A role to take on.
struct StsRole {
  std::string arn;
  std::string session_name;  ///< empty: "dendro-" and seconds
  std::string external_id;   ///< empty: none
  int duration_s = 0;        ///< 0: STS decides (an hour)
};

/// Both ask STS of the settings' region; without one the global endpoint.
/// Errors: unauthenticated, permission_denied, those of AwsClient.
Result<AwsCredentials> assume_role(const CredentialSourceParts& parts, const StsRole& role,
                                   const AwsCredentials& signing_with);
/// Not signed: the token vouches.
Result<AwsCredentials> assume_role_with_web_identity(const CredentialSourceParts& parts, const StsRole& role,
                                                     const std::string& token);

}  // namespace dendro
