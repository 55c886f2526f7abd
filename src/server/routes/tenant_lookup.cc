#include "server/routes/tenant_lookup.h"

#include "base/crypto_hash.h"
#include "base/hex.h"

namespace dendro {

Tenant implicit_tenant(const TenantId& id) {
  return {id, to_hex(sha256("tenant:" + id.text())).substr(0, 24), id.text(), {}, TenantState::active, {}, {}};
}

bool may_administer(const HttpRequest& request, const TenantId& tenant) {
  if (!request.principal) return tenant == TenantId::default_tenant();
  const Access* access = request.principal->access_to(tenant);
  return access != nullptr && access->permissions.has(Permission::admin);
}

std::optional<Tenant> tenant_of_path(const TenantService& tenants, const HttpRequest& request) {
  const std::string_view id = request.path_param("id").value_or("");
  if (const auto found = tenants.find(id)) {
    if (!may_administer(request, found->id)) return std::nullopt;
    return *found;
  }
  const auto named = TenantId::parse(id);
  const bool is_named = named && request.principal && !request.principal->holds_every_tenant();
  const bool is_open = named && !request.principal;
  if ((!is_named && !is_open) || !may_administer(request, *named)) return std::nullopt;
  return implicit_tenant(*named);
}

}  // namespace dendro
