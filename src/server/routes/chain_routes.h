#pragma once

#include <vector>

#include "server/route.h"
#include "server/routes/query_route_parts.h"
#include "services/admin/admin_jobs.h"
#include "services/evidence/evidence_service.h"

namespace dendro {

struct ChainRouteParts {
  QueryRouteParts query;
  AdminJobs& jobs;
  EvidenceService* service = nullptr;  ///< null: there are no chains (audit.chain = off)
};

/// `/api/v1/chain` (its head), `/api/v1/chain/verify`, `/api/v1/records/{id}/proof`, on the platform listener. All of
/// `parts` outlives them.
std::vector<Route> make_chain_routes(ChainRouteParts parts);

}  // namespace dendro
