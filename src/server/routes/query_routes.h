#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/worker_pool.h"
#include "query/plan/query_engine.h"
#include "server/route.h"
#include "storage/snapshot.h"

namespace dendro {

/// What reading needs; all of it outlives the routes.
struct QueryRouteParts {
  WorkerPool& workers;
  const Clock& clock;
  /// What the tenant has stored now. Thread-safe, must not block for long.
  std::function<Result<std::shared_ptr<const Snapshot>>(const TenantId&)> snapshot_of;
  QueryLimits limits = {};
};

/// `POST` and `GET /api/v1/query`, `GET /api/v1/records/{id}`, and what is read beside the rows: context, histogram,
/// facets, patterns, export (ui.md 11.2, 11.4, 11.5, 11.7); on the platform listener.
std::vector<Route> query_routes(QueryRouteParts parts);

}  // namespace dendro
