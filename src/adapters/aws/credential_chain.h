#pragma once

#include <memory>
#include <vector>

#include "adapters/aws/credential_provider.h"
#include "adapters/aws/credential_sources.h"

namespace dendro {

/// A key pair is renewed so long before its end: time for several tries.
inline constexpr std::chrono::minutes kCredentialRenewBefore{5};

/// The first source that has a key pair: environment, web identity, profile, container, instance. Kept until shortly
/// before its end; then one caller renews it while the others go on with the old one, which also serves on where the
/// source is down, as long as it lasts. `parts` outlive it, but for what it copies.
std::unique_ptr<CredentialProvider> make_credential_chain(CredentialSourceParts parts);

}  // namespace dendro
