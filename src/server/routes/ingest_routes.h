#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "record/record_sink.h"
#include "server/route.h"

namespace dendro {

/// POST /api/v1/ingest and its alias /api/v1/ingest/bulk (clients.md 3): decoding runs on `pool`, the reply is sent
/// from the commit's `done`. `pool` and `sink` outlive the routes.
std::vector<Route> make_ingest_routes(WorkerPool& pool, RecordSink& sink);

}  // namespace dendro
