#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "services/audit/audit_settings.h"
#include "services/audit/audit_store.h"

namespace dendro {

/// What retention works with; all of it outlives it.
struct AuditRetentionParts {
  AuditStore& store;
  const Clock& clock;
  AuditSettingsOf settings_of;                     ///< may block; empty: the defaults
  std::function<std::vector<TenantId>()> tenants;  ///< whose logs are looked at; may block
  std::function<bool()> believes_clock;            ///< false: nothing is deleted now; empty: always
};

/// Deletes audit logs that have outlived their tenant's `retention_days`, once an hour, in a thread of its own.
class AuditRetention {
 public:
  explicit AuditRetention(AuditRetentionParts parts);
  ~AuditRetention();
  AuditRetention(const AuditRetention&) = delete;
  AuditRetention& operator=(const AuditRetention&) = delete;

  /// Begins; the first look is at once.
  void start();
  /// One look at every tenant. What fails is logged and tried again the next time.
  void run_once();

 private:
  void run();

  // Fixed after construction.
  const AuditRetentionParts parts_;

  Mutex mutex_;
  CondVar wake_;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses the rest
};

/// Logs before it are older than so many days.
Timestamp audit_cutoff(Timestamp now, std::int64_t days);

}  // namespace dendro
