#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "meta/saved_queries.h"
#include "meta/short_links.h"
#include "server/route.h"

namespace dendro {

/// `/api/v1/saved` (queries kept under a name, per tenant), `POST /api/v1/short` and `GET /s/{code}` (short links);
/// on the platform listener (ui.md 11.7). All outlive the routes.
std::vector<Route> make_saved_routes(WorkerPool& pool, SavedQueries& saved, ShortLinks& links);

}  // namespace dendro
