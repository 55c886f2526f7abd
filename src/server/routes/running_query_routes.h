#pragma once

#include <vector>

#include "server/route.h"
#include "services/search/running_queries.h"

namespace dendro {

/// `GET /api/v1/admin/queries` and `DELETE /api/v1/admin/queries/{id}` (ui.md 11.8). `queries` outlives the routes.
std::vector<Route> make_running_query_routes(RunningQueries& queries);

}  // namespace dendro
