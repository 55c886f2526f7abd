#pragma once

#include "server/routes/query_routes.h"

namespace dendro {

/// `GET /api/v1/records/{id}/context` (ui.md 11.4).
Route record_context_route(const QueryRouteParts& parts);

}  // namespace dendro
