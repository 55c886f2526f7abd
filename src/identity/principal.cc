#include "identity/principal.h"

#include <algorithm>

namespace dendro {

const Access* Principal::access_to(const TenantId& tenant) const {
  const Access* of_all = nullptr;
  for (const Grant& grant : grants) {
    if (grant.tenant == tenant) return grant.access.get();
    if (!grant.tenant) of_all = grant.access.get();
  }
  return of_all;
}

bool Principal::holds_every_tenant() const {
  return std::ranges::any_of(grants, [](const Grant& grant) { return !grant.tenant; });
}

std::optional<TenantId> Principal::only_tenant() const {
  return grants.size() == 1 ? grants[0].tenant : std::nullopt;
}

}  // namespace dendro
