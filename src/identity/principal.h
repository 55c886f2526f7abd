#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "identity/permission.h"

namespace dendro {

/// What a caller may do in one tenant: the sum of its roles there. Immutable once made.
struct Access {
  PermissionSet permissions;
  std::vector<std::string> roles;  ///< names, for messages and the session; empty for API keys with scopes
  /// Filters in the query language: a record is seen if any of them takes it. Empty: every record is seen.
  std::vector<std::string> row_filters;
  std::vector<std::string> hidden_fields;  ///< never leave the server; cannot be asked about either
  std::vector<std::string> masked_fields;  ///< leave as "***"

  bool restricts_reading() const { return !row_filters.empty() || !hidden_fields.empty() || !masked_fields.empty(); }
};

/// One tenant, or every one, and what a credential may do there.
struct Grant {
  std::optional<TenantId> tenant;  ///< nothing: every tenant ("*")
  std::shared_ptr<const Access> access;
};

/// Who calls: made once by the Authenticator, immutable, shared by all requests of one credential.
struct Principal {
  enum class Kind : std::uint8_t { anonymous, api_key, token, user, certificate };
  Kind kind = Kind::anonymous;
  std::string id;    ///< stable, for the audit trail: "key:3fA9..", "token:<jti>", "user:<id>", "sub:<issuer>|<sub>"
  std::string name;  ///< for people: the key's name, the user's e-mail address, the token's subject
  std::string token_id;  ///< `jti`, the key's or the session's id; what a revocation names
  std::vector<Grant> grants;
  std::optional<Timestamp> expires;  ///< the earlier of stored and claimed

  /// What it may do in `tenant`; null: nothing, and the caller must not learn whether the tenant exists.
  const Access* access_to(const TenantId& tenant) const;
  /// True of "*".
  bool holds_every_tenant() const;
  /// The one tenant it is bound to; nothing if it holds several or every one.
  std::optional<TenantId> only_tenant() const;
};
using PrincipalPtr = std::shared_ptr<const Principal>;

}  // namespace dendro
