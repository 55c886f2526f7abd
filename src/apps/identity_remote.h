#pragma once

#include <string>
#include <vector>

#include "apps/admin_remote.h"
#include "apps/identity_folder.h"

namespace dendro {

/// The routes of a running server about keys, tokens, users, roles and tenants. One thread; calls block.
class IdentityRemote {
 public:
  /// Whether the place names a server: with --server, or with DENDRO_SERVER where no --data is given.
  static bool is_wanted(const IdentityPlace& place);
  /// Errors: invalid_argument (the URL; a folder is named too).
  static Result<IdentityRemote> open(const IdentityPlace& place, CommandIo& io);

  /// As AdminRemote::call, but for 404: not_found.
  Result<JsonValue> call(const std::string& method, const std::string& path, const std::string& body = {});
  /// All items of a list, page by page. `path` may have a query.
  Result<std::vector<JsonValue>> items(const std::string& path);

 private:
  explicit IdentityRemote(AdminRemote remote) : remote_(std::move(remote)) {}
  AdminRemote remote_;
};

/// The items as a JSON array.
std::string json_array(const std::vector<JsonValue>& items);
/// "?tenant=T", or "" without one.
std::string tenant_query(const std::vector<std::string>& tenants);

}  // namespace dendro
