#include "identity/grant.h"

namespace dendro {

Status check_tenant_names(std::span<const std::string> tenants) {
  if (tenants.empty() || tenants.size() > kGrantTenantsMax) {
    return Error(ErrorCode::invalid_argument,
                 "tenants: 1 to " + std::to_string(kGrantTenantsMax) + " are taken, or \"*\" for every one");
  }
  DENDRO_TRY(make_grants(tenants, {}));
  return {};
}

Result<std::vector<Grant>> make_grants(std::span<const std::string> tenants, std::span<const Role> roles) {
  const std::shared_ptr<const Access> in_one = combine_roles(roles, false);
  std::vector<Grant> grants;
  for (const std::string& name : tenants) {
    if (name == kEveryTenant) {
      grants.push_back({std::nullopt, combine_roles(roles, true)});
      continue;
    }
    DENDRO_TRY_ASSIGN(const TenantId tenant, TenantId::parse(name));
    grants.push_back({tenant, in_one});
  }
  return grants;
}

}  // namespace dendro
