#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "server/route.h"
#include "services/admin/admin_service.h"

namespace dendro {

/// What an operator asks of a running server (ui.md 11.8), on the platform listener: deletions
/// (`/api/v1/admin/delete`, `/deletions`), long work (`/compact`, `/backup`, `/verify`, `/jobs`), `/health`. Both
/// outlive the routes.
std::vector<Route> make_admin_routes(WorkerPool& pool, AdminService& admin);

/// Its rows about deletions.
std::vector<Route> make_deletion_routes(WorkerPool& pool, AdminService& admin);

/// A row of the group, without a handler.
Route admin_route(std::string method, std::string path, std::string operation_id, std::string summary);

}  // namespace dendro
