#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "identity/foreign_issuer.h"
#include "identity/own_tokens.h"

namespace dendro {

/// Takes own tokens and those of the configured issuers. A token without `iss` is an own one; any other names the
/// issuer whose keys, algorithms and rules it is judged by, and none that is not configured. Thread-safe; may wait for
/// the token store and for key servers.
class TokenVerifier {
 public:
  struct Verified {
    PrincipalPtr principal;
    /// Of a foreign token: all that a session must remember to make the principal again; else empty.
    std::string document;
  };

  /// All outlive this.
  TokenVerifier(const OwnTokens& own, const Roles& roles, std::vector<std::unique_ptr<ForeignIssuer>> issuers)
      : own_(own), roles_(roles), issuers_(std::move(issuers)) {}

  /// Errors: unauthenticated with a text of credential_error.h (the reason goes to the own log, at debug); unavailable
  /// (the issuer's keys cannot be had); those of the token store.
  Result<Verified> verify(std::string_view token) const;
  /// Errors: unauthenticated (its issuer is not taken any more); those of the database.
  Result<PrincipalPtr> principal_of_document(const std::string& document) const;

  std::span<const std::unique_ptr<ForeignIssuer>> issuers() const { return issuers_; }

 private:
  Result<Verified> judge(std::string_view token) const;
  Result<PrincipalPtr> principal_of(const ForeignIdentity& identity) const;
  ForeignIssuer* find_issuer(std::string_view name) const;
  const OwnTokens& own_;
  const Roles& roles_;
  const std::vector<std::unique_ptr<ForeignIssuer>> issuers_;
};

}  // namespace dendro
