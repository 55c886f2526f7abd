#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/worker_pool.h"
#include "query/plan/query_engine.h"
#include "server/http_message.h"
#include "services/evidence/evidence_service.h"
#include "services/search/running_queries.h"
#include "storage/snapshot.h"

namespace dendro {

/// What reading needs; all of it outlives the routes.
struct QueryRouteParts {
  WorkerPool& workers;
  const Clock& clock;
  /// What the tenant has stored now. Thread-safe, must not block for long.
  std::function<Result<std::shared_ptr<const Snapshot>>(const TenantId&)> snapshot_of;
  QueryLimits limits = {};
  std::shared_ptr<const LookupTables> lookup_tables = nullptr;  ///< null: `lookup` is refused
  /// What `$name` stands for to a tenant; called on workers. Null: such names are refused.
  std::function<std::shared_ptr<const SavedFilters>(const TenantId&)> saved_filters_of = nullptr;
  RunningQueries* running = nullptr;                          ///< null: nobody lists them
  std::shared_ptr<const GeoDatabase> geo_database = nullptr;  ///< null: `geoip` is refused
  /// Of a tenant's records, for exports that want proofs; null: there are none.
  std::function<std::unique_ptr<RecordProver>(const TenantId&)> prover_of = nullptr;

  /// What a query of the tenant may take at most; zero: what it asks for. Null: nobody bounds it.
  std::function<std::chrono::milliseconds(const TenantId&)> timeout_max_of = nullptr;

  /// What the caller may see of its tenant's records, as they are now: the one way for routes to read them.
  Result<std::shared_ptr<const Snapshot>> snapshot(const HttpRequest& request) const;
  /// Gives the request what names in it stand for, and no more time than its tenant has.
  void add_names(QueryRequest& query, const TenantId& tenant) const;
  /// Cancelled with the request, within the limits of all.
  QueryRunOptions run_options(const HttpRequest& request) const;
  /// The query is listed as running until the ticket goes; null where nobody lists them.
  std::unique_ptr<RunningQueries::Ticket> begin(const HttpRequest& request, std::string_view operation,
                                                std::string_view query) const;
};

}  // namespace dendro
