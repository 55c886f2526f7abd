#include "identity/permission.h"

#include <array>

namespace dendro {
namespace {

constexpr std::array<std::string_view, kPermissionCount> kPermissionNames = {
    "open", "ingest", "search", "export", "stats",  "stream",  "audit_trail", "delete_old",
    "keys", "users",  "index",  "alerts", "unmask", "tenants", "admin"};

}  // namespace

std::string_view permission_name(Permission permission) {
  return kPermissionNames[static_cast<std::size_t>(permission)];
}

std::optional<Permission> parse_permission(std::string_view name) {
  for (std::size_t i = 1; i < kPermissionCount; ++i) {  // "open" is no right that a role could give
    if (kPermissionNames[i] == name) return static_cast<Permission>(i);
  }
  return std::nullopt;
}

std::vector<Permission> PermissionSet::list() const {
  std::vector<Permission> list;
  for (std::size_t i = 0; i < kPermissionCount; ++i) {
    if (has(static_cast<Permission>(i))) list.push_back(static_cast<Permission>(i));
  }
  return list;
}

}  // namespace dendro
