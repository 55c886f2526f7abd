#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/crypto_signature.h"
#include "base/random.h"
#include "identity/jwt/jwt.h"
#include "identity/principal.h"
#include "identity/roles.h"
#include "identity/token_store.h"

namespace dendro {

struct TokenRequest {
  std::vector<std::string> tenants;  ///< or "*"
  std::vector<std::string> roles;    ///< 1 to 20
  std::string subject;               ///< 1 to 128 characters
  std::optional<std::chrono::seconds> lifetime;
};
struct MadeToken {
  TokenRow row;
  std::string jwt;  ///< stored nowhere
};

/// Tokens that this installation signs itself with its SECRET_KEY (five-systems.md 4.1). What the store says of one
/// wins over what the token says. Thread-safe; every call may wait for the store.
class OwnTokens {
 public:
  static constexpr std::size_t kRolesMax = 20;
  static constexpr std::chrono::hours kLifetimeMax{24 * 3'650};

  /// @param keys  the first signs, all verify; none: no token can be made, none is taken. References outlive this.
  OwnTokens(TokenStore& store, const Roles& roles, std::vector<SignatureKey> keys,
            std::chrono::seconds default_lifetime, const Clock& clock, RandomSource& random)
      : store_(store),
        roles_(roles),
        keys_(std::move(keys)),
        default_lifetime_(default_lifetime),
        clock_(clock),
        random_(random) {}

  /// Errors: invalid_argument (the request, or there is no SECRET_KEY), those of TokenStore::insert.
  Result<MadeToken> create(const TokenRequest& request);
  Result<std::optional<TokenRow>> find(const std::string& jti) const { return store_.find(jti); }
  Result<std::vector<TokenRow>> list(const std::string& tenant, const std::string& after_jti,
                                     std::size_t count_max) const {
    return store_.list(tenant, after_jti, count_max);
  }
  /// Errors: not_found.
  Status revoke(const std::string& jti) { return store_.revoke(jti, clock_.now()); }

  // Errors of these: unauthenticated, its text one of credential_error.h or a reason for the own log; those of the
  // store.
  Result<PrincipalPtr> authenticate(const Jwt& jwt) const;
  /// For a session that such a token opened.
  Result<PrincipalPtr> authenticate_id(const std::string& jti) const;

 private:
  Status check_request(const TokenRequest& request) const;
  TokenStore& store_;
  const Roles& roles_;
  const std::vector<SignatureKey> keys_;
  const std::chrono::seconds default_lifetime_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace dendro
