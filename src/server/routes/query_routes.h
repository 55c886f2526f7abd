#pragma once

#include <vector>

#include "server/route.h"
#include "server/routes/query_route_parts.h"

namespace dendro {

/// `POST` and `GET /api/v1/query`, `GET /api/v1/records/{id}`, and what is read beside the rows: context, histogram,
/// facets, patterns, export (ui.md 11.2, 11.4, 11.5, 11.7); on the platform listener.
std::vector<Route> query_routes(QueryRouteParts parts);

}  // namespace dendro
