#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "identity/api_keys.h"
#include "server/route.h"

namespace dendro {

/// `/api/v1/keys` (ui.md 11.7): the API keys of the caller's tenant. A key can do no more than who makes it. `pool`,
/// `keys` and `roles` outlive the routes.
std::vector<Route> make_key_routes(WorkerPool& pool, ApiKeys& keys, const Roles& roles);

}  // namespace dendro
