#pragma once

#include <functional>

#include "server/route.h"
#include "services/search/query_slots.h"
#include "services/search/query_turns.h"

namespace dendro {

/// What stands in front of every route that reads records for a caller; all outlives the routes.
struct QueryAdmission {
  QuerySlots& slots;
  QueryTurns& turns;
  /// Hears of each query: whether it was let in. Called on loop threads.
  std::function<void(const TenantId&, bool is_admitted)> note = {};
};

/// True of the routes that run a query, or read audit logs. Live tails are not among them: they have a bound of their
/// own and are woken by what is stored.
bool runs_query(const Route& route);

/// Puts the admission in front of those routes: over the tenant's quota 429; then the tenants take turns at the workers
/// until the answer begins. The slot is held until the answer's last byte is made.
void admit_queries(RouteTable& table, const QueryAdmission& admission);

}  // namespace dendro
