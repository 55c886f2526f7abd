#include "services/search/row_scope.h"

#include <algorithm>
#include <utility>

namespace dendro {

QueryRequest scope_request(const PreparedQuery& planned, std::vector<Pipe> pipes) {
  const QueryPlan& plan = planned.plan();
  ParsedQuery scope;
  scope.filter = plan.parsed.filter;
  for (const Pipe& pipe : plan.parsed.pipes) {
    if (!std::holds_alternative<WherePipe>(pipe)) break;
    scope.pipes.push_back(pipe);
  }
  for (Pipe& pipe : pipes) scope.pipes.push_back(std::move(pipe));
  QueryRequest request;
  request.query = to_text(scope);
  if (plan.range.first != kTimestampMin) request.start = to_rfc3339(plan.range.first);
  if (plan.range.last != kTimestampMax) request.end = to_rfc3339(plan.range.last);
  request.tz = plan.request.tz;
  request.limit = 0;
  request.timeout = plan.request.timeout;
  request.saved_filters = plan.request.saved_filters;
  request.lookup_tables = plan.request.lookup_tables;
  request.geo_database = plan.request.geo_database;
  request.now = plan.request.now;
  request.progress = false;
  return request;
}

Result<QueryTable> ScopedQueries::run(QueryRequest request) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock_.monotonic());
  request.timeout = std::max(left, std::chrono::milliseconds(1));
  QueryFault own_fault;
  DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(request, own_fault));
  DENDRO_TRY_ASSIGN(QueryTable table, run_to_table(prepared, input_, options_, clock_));
  if (!table.outcome.complete) {
    is_complete_ = false;
    reason_ = table.outcome.reason;
  }
  return table;
}

}  // namespace dendro
