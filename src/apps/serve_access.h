#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/worker_pool.h"
#include "identity/identity_parts.h"
#include "server/access_gate.h"
#include "services/tenants/tenant_meters.h"
#include "services/tenants/tenant_service.h"
#include "storage/store.h"

namespace dendro {

/// What the store does for the tenants: deletion, retention. `store` outlives it; `standard` is kept for tenants with a
/// rule of their own but for the time.
TenantStoreParts make_tenant_store_parts(Store& store, RetentionRule standard);

/// Joins identity and tenants for the server. Thread-safe.
class ServeAccess {
 public:
  /// What tenants sent is written down so often.
  static constexpr std::chrono::seconds kUsageSavedEvery{60};

  /// All outlive this.
  ServeAccess(IdentityParts& identity, TenantService& tenants, TenantMeters& meters, WorkerPool& workers,
              const Clock& clock)
      : identity_(identity),
        tenants_(tenants),
        meters_(meters),
        workers_(workers),
        clock_(clock),
        usage_saved_(clock.monotonic()) {}

  /// For loop threads: never waits. Outlived by this.
  AccessParts parts();
  /// Reads the roles. Before the server starts, and again when they changed.
  Status read_roles();

 private:
  std::vector<std::string> roles_with(Permission permission);
  void count_body(const TenantId& tenant, std::uint64_t bytes);

  IdentityParts& identity_;
  TenantService& tenants_;
  TenantMeters& meters_;
  WorkerPool& workers_;
  const Clock& clock_;

  Mutex mutex_;
  std::vector<Role> roles_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t roles_generation_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::chrono::nanoseconds usage_saved_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
