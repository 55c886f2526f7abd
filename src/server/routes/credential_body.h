#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/grant.h"
#include "identity/roles.h"
#include "server/http_message.h"

namespace dendro {

/// A small JSON body about a credential: lists of names and texts, all of them known.
struct CredentialBody {
  std::string name, subject;
  std::vector<std::string> tenants, scopes, roles;
  std::optional<Timestamp> expires;
  std::optional<std::int64_t> ttl_seconds;

  /// Errors: invalid_argument (no object; a member that is not among `known`, or of another kind).
  static Result<CredentialBody> read(std::string_view text, const std::vector<std::string_view>& known);
};

/// What a caller may hand on: nothing in open mode, nothing if its own view of the records is restricted, and no right
/// that it does not have itself in each of `tenants` ("*": it must hold every one).
/// Errors: permission_denied, invalid_argument (no name of a tenant).
Status check_may_grant(const HttpRequest& request, const std::vector<std::string>& tenants, PermissionSet wanted);

/// True if a credential of `tenants` is the caller's to see and to revoke, in the tenant of the request.
bool is_of_tenant(const HttpRequest& request, const std::vector<std::string>& tenants);

/// "active", "expired", "revoked".
std::string_view credential_state(Timestamp now, Timestamp expires, Timestamp revoked);

}  // namespace dendro
