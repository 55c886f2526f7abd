#include "server/routes/query_route_parts.h"

#include <algorithm>

#include "server/routes/caller_restriction.h"

namespace dendro {

Result<std::shared_ptr<const Snapshot>> QueryRouteParts::snapshot(const HttpRequest& request) const {
  DENDRO_TRY_ASSIGN(auto base, snapshot_of(request.tenant));
  DENDRO_TRY_ASSIGN(const auto restriction, restriction_of(request.access.get(), request.received, request.request_id));
  return restriction == nullptr ? base : restrict_snapshot(std::move(base), *restriction);
}

void QueryRouteParts::add_names(QueryRequest& query, const TenantId& tenant) const {
  query.lookup_tables = lookup_tables;
  query.geo_database = geo_database;
  if (saved_filters_of) query.saved_filters = saved_filters_of(tenant);
  const auto timeout_max = timeout_max_of ? timeout_max_of(tenant) : std::chrono::milliseconds(0);
  if (timeout_max.count() > 0) query.timeout = std::min(query.timeout, timeout_max);
}

QueryRunOptions QueryRouteParts::run_options(const HttpRequest& request) const {
  QueryRunOptions options;
  options.cancel = request.cancel;
  options.request_id = request.request_id;
  options.limits = limits;
  return options;
}

std::unique_ptr<RunningQueries::Ticket> QueryRouteParts::begin(const HttpRequest& request, std::string_view operation,
                                                               std::string_view query) const {
  if (running == nullptr) return nullptr;
  return running->begin({request.request_id, request.tenant, operation, query, request.cancel});
}

}  // namespace dendro
