#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "base/worker_pool.h"
#include "server/route.h"
#include "services/audit/access_trail.h"
#include "services/audit/audit_pipeline.h"
#include "services/audit/audit_store.h"
#include "services/audit/audit_stream_hub.h"

namespace dendro {

/// What the routes of S2 work with; all of it outlives them.
struct AuditRouteParts {
  WorkerPool& workers;
  AuditStore& store;
  AuditPipeline& pipeline;
  AccessTrail& trail;
  AuditStreamHub& streams;
  RandomSource& random;
  std::string api_prefix = "/api/v1";  ///< API_V1_STR
};

/// The audit log service (five-systems.md 4.3 to 4.5) on the listeners `platform` and `audit`.
std::vector<Route> make_audit_routes(const AuditRouteParts& parts);

// Its parts, one file each.
std::vector<Route> make_audit_create_routes(const AuditRouteParts& parts);
std::vector<Route> make_audit_read_routes(const AuditRouteParts& parts);
std::vector<Route> make_audit_stats_routes(const AuditRouteParts& parts);
Route make_audit_export_route(const AuditRouteParts& parts);
std::vector<Route> make_audit_cleanup_routes(const AuditRouteParts& parts);
Route make_audit_stream_route(const AuditRouteParts& parts);

}  // namespace dendro
