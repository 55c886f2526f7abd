#pragma once

#include "server/routes/query_routes.h"

namespace dendro {

/// `POST /api/v1/facets` (ui.md 11.4).
Route facet_route(const QueryRouteParts& parts);

}  // namespace dendro
