#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "identity/roles.h"
#include "server/route.h"

namespace dendro {

/// `/api/v1/roles` (ui.md 11.8). Roles hold in every tenant: any administrator sees them, who administers every tenant
/// changes them, and gives no role a right that he does not have. `pool` and `roles` outlive the routes.
std::vector<Route> make_role_routes(WorkerPool& pool, Roles& roles);

}  // namespace dendro
