#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "identity/own_tokens.h"
#include "server/route.h"

namespace dendro {

/// `/api/v1/tokens` (ui.md 11.8): own tokens of the tenants that the caller administers. A token can do no more than
/// who makes it. `pool`, `tokens` and `roles` outlive the routes.
std::vector<Route> make_token_routes(WorkerPool& pool, OwnTokens& tokens, const Roles& roles);

}  // namespace dendro
