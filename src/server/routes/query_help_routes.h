#pragma once

#include <vector>

#include "server/routes/query_routes.h"
#include "services/search/completion.h"

namespace dendro {

/// What a page asks while somebody writes a query (ui.md 11.4): `POST /api/v1/complete` and `POST /api/v1/query/edit`.
/// `saved_names_of`: as SavedNames, of a tenant; called on workers.
std::vector<Route> query_help_routes(const QueryRouteParts& parts,
                                     std::function<SavedNames(const TenantId&)> saved_names_of);

}  // namespace dendro
