#pragma once

#include <vector>

#include "base/clock.h"
#include "base/worker_pool.h"
#include "server/route.h"
#include "services/admin/queue_admin.h"

namespace dendro {

/// Queues of messages on their way, and those that could not be delivered: `/api/v1/admin/queues`, beside the other
/// routes of administration. All outlive the routes.
std::vector<Route> make_queue_routes(WorkerPool& pool, QueueAdmin& queues, const Clock& clock);

}  // namespace dendro
