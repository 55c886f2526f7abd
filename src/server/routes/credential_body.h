#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/grant.h"
#include "identity/roles.h"
#include "server/route.h"

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

/// invalid_argument: "x: there is no such member; known are a, b".
Error unknown_member(const std::string& name, const std::vector<std::string_view>& known);

/// What a caller may hand on: nothing in open mode, nothing if its own view of the records is restricted, and no right
/// that it does not have itself in each of `tenants` ("*": it must hold every one); and there it must have `by`, the
/// right that the route is about: it may have passed by another tenant's.
/// Errors: permission_denied, invalid_argument (no name of a tenant).
Status check_may_grant(const HttpRequest& request, const std::vector<std::string>& tenants, PermissionSet wanted,
                       Permission by);

/// Whether the caller has a right in a tenant; "*": in every one. In open mode everybody has every right.
bool caller_has(const HttpRequest& request, const std::string& tenant, Permission permission);

/// What roles let their holders do in `tenant`; one that there is not, nothing. Errors: those of the database.
Result<PermissionSet> permissions_of_roles(const Roles& roles, const std::vector<std::string>& names,
                                           const std::string& tenant);

/// `?tenant=&limit=&cursor=` of a list of credentials or accounts.
struct CredentialPage {
  std::string tenant;  ///< empty: all that the caller may see
  std::size_t limit = 0;
  std::string cursor;
};
/// Errors: invalid_argument.
Result<CredentialPage> read_credential_page(const HttpRequest& request, std::size_t limit_max);
std::vector<RouteParam> credential_page_params(std::size_t limit_max);
/// {"items":[..],"next_cursor":".."} (ui.md 11.8), the cursor only if it is not empty. `items` are JSON, commas
/// between.
HttpResponse list_reply(const std::string& items, const std::string& next_cursor);

/// True if a credential of `tenants` is the caller's to see and to revoke, in the tenant of the request.
bool is_of_tenant(const HttpRequest& request, const std::vector<std::string>& tenants);

/// "active", "expired", "revoked".
std::string_view credential_state(Timestamp now, Timestamp expires, Timestamp revoked);

}  // namespace dendro
