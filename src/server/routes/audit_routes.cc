#include "server/routes/audit_routes.h"

#include <iterator>
#include <utility>

namespace dendro {

std::vector<Route> make_audit_routes(const AuditRouteParts& parts) {
  std::vector<Route> routes;
  const auto add = [&routes](std::vector<Route> rows) {
    std::move(rows.begin(), rows.end(), std::back_inserter(routes));
  };
  add(make_audit_create_routes(parts));
  add(make_audit_read_routes(parts));
  routes.push_back(make_audit_export_route(parts));
  add(make_audit_stats_routes(parts));
  add(make_audit_cleanup_routes(parts));
  routes.push_back(make_audit_stream_route(parts));
  return routes;
}

}  // namespace dendro
