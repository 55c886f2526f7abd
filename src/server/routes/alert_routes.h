#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "server/route.h"
#include "services/alerts/alert_service.h"

namespace dendro {

/// `/api/v1/alerts` and `/api/v1/silences` (ui.md 11.8), permission `alerts`. All outlives the routes.
std::vector<Route> make_alert_routes(WorkerPool& pool, AlertService& alerts);
/// The part of them about silences.
std::vector<Route> make_silence_routes(WorkerPool& pool, AlertService& alerts);
/// A row of the group "Alerts" on the platform listener, errors as problems.
Route alert_route(std::string method, std::string path, std::string operation_id, std::string summary);

}  // namespace dendro
