#pragma once

#include "server/routes/query_routes.h"

namespace dendro {

/// `GET /api/v1/export` (ui.md 11.7).
Route export_route(const QueryRouteParts& parts);

}  // namespace dendro
