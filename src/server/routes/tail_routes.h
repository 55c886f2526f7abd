#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "server/route.h"
#include "services/tail/tail_hub.h"

namespace dendro {

/// `GET /api/v1/tail`: a WebSocket of the subprotocol `dendro.tail.v1`, or server-sent events (ui.md 11.3). Both
/// outlive the routes.
std::vector<Route> tail_routes(WorkerPool& workers, TailHub& hub);

}  // namespace dendro
