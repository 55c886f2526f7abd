#pragma once

#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "io/object_store.h"
#include "server/route.h"
#include "services/analyze/alert_publisher.h"

namespace dendro {

/// S0 (five-systems.md 2.2): GET /analyze, GET and POST /notify, on the platform and analytics listeners.
/// `allowed_buckets`: globs; a file:///folder must stand there word for word. `publisher`: null while no topic is
/// configured. `pool`, `objects` and `publisher` outlive the routes.
std::vector<Route> make_analyze_routes(WorkerPool& pool, ObjectStore& objects, std::vector<std::string> allowed_buckets,
                                       AlertPublisher* publisher = nullptr);

}  // namespace dendro
