#pragma once

#include "server/routes/query_routes.h"

namespace dendro {

/// `POST /api/v1/patterns`, `GET /api/v1/patterns/{id}` (ui.md 11.5).
Route pattern_list_route(const QueryRouteParts& parts);
Route pattern_route(const QueryRouteParts& parts);

}  // namespace dendro
