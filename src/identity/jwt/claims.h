#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json_document.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace dendro {

/// What a token says once its signature is good.
struct TokenClaims {
  std::string subject;
  std::string token_id;  ///< `jti`; may be empty
  std::string name;      ///< for people: `email`, `preferred_username` or `name`; may be empty
  Timestamp expires;     ///< the allowance for other clocks included
  /// Nothing: the token does not say.
  std::optional<std::vector<std::string>> tenants, roles;
};

struct ClaimRules {
  Timestamp now;
  std::chrono::seconds skew{0};  ///< how far the issuer's clock may be from ours
  std::string audience;          ///< one of `aud`; empty: there must be none, it is for somebody else
  std::string tenants_claim = "tenant_ids", roles_claim = "roles";
};
inline constexpr std::size_t kSubjectCharactersMax = 128;

/// `iss` chose the key and was compared then. Wanted: `sub` of 1 to kSubjectCharactersMax characters, `exp` ahead;
/// `nbf`, `iat` and `auth_time` behind where they are there; `aud` as the rules say; lists of texts for tenants and
/// roles.
/// Errors: unauthenticated: kExpiredTokenText where nothing else is wrong, else why, for the own log.
Result<TokenClaims> check_claims(const JsonValue& claims, const ClaimRules& rules);

}  // namespace dendro
