#pragma once

#include <memory>
#include <vector>

#include "base/worker_pool.h"
#include "server/route.h"
#include "services/tail/tail_hub.h"

namespace dendro {

class UseRecording;

/// `GET /api/v1/tail`: a WebSocket of the subprotocol `dendro.tail.v1`, or server-sent events (ui.md 11.3). Both
/// outlive the routes. @param recording  of what is asked over an open WebSocket; null: nothing is recorded.
std::vector<Route> tail_routes(WorkerPool& workers, TailHub& hub,
                               std::shared_ptr<const UseRecording> recording = nullptr);

}  // namespace dendro
