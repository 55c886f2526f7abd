#pragma once

#include <vector>

#include "server/route.h"
#include "server/routes/query_route_parts.h"
#include "services/audit/access_trail.h"
#include "services/privacy/privacy_service.h"
#include "services/tenants/tenant_service.h"

namespace dendro {

/// `POST /api/v1/unmask`, `POST /api/v1/tenants/{id}/masking/test`, `DELETE /api/v1/tenants/{id}/masking/key`. Each
/// unmasking stands in the trail before it is told. All outlives the routes.
std::vector<Route> make_privacy_routes(const QueryRouteParts& query, PrivacyService& privacy, TenantService& tenants,
                                       AccessRecorder& trail);

}  // namespace dendro
