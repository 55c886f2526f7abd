#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/worker_pool.h"
#include "server/route.h"
#include "services/audit/access_trail.h"
#include "services/audit/audit_pipeline.h"
#include "services/audit/audit_retention.h"
#include "services/audit/audit_stream_hub.h"
#include "services/audit/engine_audit_store.h"
#include "services/tenants/tenant.h"

namespace dendro {

/// What the audit log service needs of a tenant's settings.
AuditTenantSettings audit_settings_of(const TenantSettings& settings);

/// The audit log service of `dendro serve`, joined on the engine. One thread starts and stops it.
class ServeAudit {
 public:
  struct Parts {
    Store& store;
    WorkerPool& workers;
    const Clock& clock;
    RandomSource& random;
    QueryLimits limits;
    AuditSettingsOf settings_of = {};                     ///< empty: the defaults
    std::function<std::vector<TenantId>()> tenants = {};  ///< whose logs grow old; empty: the default tenant
  };
  /// All of `parts` outlives this.
  explicit ServeAudit(Parts parts);

  std::vector<Route> routes(const std::string& api_prefix);
  AccessTrail& trail() { return *trail_; }
  void append_metrics(std::string& out) const;
  /// Ends the threads; the workers and the store must still be there.
  void stop();

 private:
  WorkerPool& workers_;
  RandomSource& random_;
  // What is below uses what is above.
  std::unique_ptr<AuditStore> store_;
  std::unique_ptr<AccessTrail> trail_;
  std::unique_ptr<AuditPipeline> pipeline_;
  std::shared_ptr<AuditStreamHub> streams_;
  std::unique_ptr<AuditRetention> retention_;
};

}  // namespace dendro
