#pragma once

#include "server/routes/query_routes.h"

namespace dendro {

/// `POST /api/v1/histogram` (ui.md 11.4).
Route histogram_route(const QueryRouteParts& parts);

}  // namespace dendro
