#include "server/routes/query_route_parts.h"

#include "base/log.h"
#include "services/access/restricted_snapshot.h"

namespace dendro {

Result<std::shared_ptr<const Snapshot>> QueryRouteParts::snapshot(const HttpRequest& request) const {
  DENDRO_TRY_ASSIGN(auto base, snapshot_of(request.tenant));
  if (!request.access || !request.access->restricts_reading()) return base;
  auto restriction = make_record_restriction(*request.access, request.received);
  if (restriction) return restrict_snapshot(std::move(base), std::move(*restriction));
  log(LogLevel::error, "server", "a role's row filter cannot be read: its holders see nothing",
      {{"request_id", request.request_id}, {"reason", restriction.error().message()}});
  return Error(ErrorCode::permission_denied, "a row filter of the caller's roles cannot be read");
}

void QueryRouteParts::add_names(QueryRequest& query, const TenantId& tenant) const {
  query.lookup_tables = lookup_tables;
  if (saved_filters_of) query.saved_filters = saved_filters_of(tenant);
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
