#pragma once

#include <functional>
#include <vector>

#include "base/worker_pool.h"
#include "server/route.h"
#include "services/tenants/tenant_service.h"

namespace dendro {

/// `/api/v1/tenants` of S2 (five-systems.md 4.3, 4.4) on the profiles platform and audit, and `POST
/// .../{id}/suspend|resume`. A caller sees its own tenants; one of "*" sees and changes all that were created.
/// `pool` and `tenants` outlive the routes.
/// `check_masking`: whether rules can be kept here (PrivacyService::check); empty: always.
std::vector<Route> make_tenant_routes(WorkerPool& pool, TenantService& tenants,
                                      std::function<Status(const MaskRules&)> check_masking = {});

}  // namespace dendro
