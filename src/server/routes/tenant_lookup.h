#pragma once

#include <optional>

#include "server/http_message.h"
#include "services/tenants/tenant_service.h"

namespace dendro {

/// What a tenant shows that nobody created, but a credential names.
Tenant implicit_tenant(const TenantId& id);
bool may_administer(const HttpRequest& request, const TenantId& tenant);
/// The tenant of the path's `id`, if the caller may administer it: a foreign one is not there.
std::optional<Tenant> tenant_of_path(const TenantService& tenants, const HttpRequest& request);

}  // namespace dendro
