#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "identity/users.h"
#include "server/route.h"

namespace dendro {

/// `/api/v1/users` (ui.md 11.7): local accounts. Who administers some tenants sees of each account what it has in them,
/// and changes nothing else; nobody gives an account a right, or takes over an account with a right, that he does not
/// have himself. `pool`, `users` and `roles` outlive the routes.
std::vector<Route> make_user_routes(WorkerPool& pool, Users& users, const Roles& roles);

}  // namespace dendro
