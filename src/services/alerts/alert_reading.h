#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "query/language/query_fault.h"
#include "query/plan/query_engine.h"
#include "services/alerts/alert_evaluator.h"
#include "services/alerts/alert_rule.h"
#include "services/search/running_queries.h"
#include "storage/snapshot.h"

namespace dendro {

/// What asking takes; all of it outlives those who ask. As for the routes of queries.
struct AlertQueryParts {
  const Clock& clock;
  std::function<Result<std::shared_ptr<const Snapshot>>(const TenantId&)> snapshot_of;
  QueryLimits limits = {};
  std::shared_ptr<const LookupTables> lookup_tables = nullptr;
  std::function<std::shared_ptr<const SavedFilters>(const TenantId&)> saved_filters_of = nullptr;
  std::shared_ptr<const GeoDatabase> geo_database = nullptr;
  RunningQueries* running = nullptr;  ///< null: nobody lists them
};

/// What the query of a rule gave for one moment.
struct AlertAnswer {
  AlertReading reading;             ///< of rows and columns: what is active
  std::vector<std::string> values;  ///< of the field of a rule for new values
};

/// Checks the query of a rule and that it fits its condition. On failure `fault` may say where in the query.
/// Errors: those of prepare_query; invalid_argument (no table, no such column).
Status check_alert_query(const AlertRule& rule, const AlertQueryParts& parts, QueryFault& fault);

/// Asks about [at - span, at), within `timeout` and until `cancel`. What fails is in the answer's `reading.problem`.
AlertAnswer ask_alert_query(const AlertRule& rule, const AlertQueryParts& parts, Timestamp at,
                            std::chrono::seconds span, std::chrono::milliseconds timeout, const CancelToken& cancel);

}  // namespace dendro
