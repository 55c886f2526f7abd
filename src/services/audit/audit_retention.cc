#include "services/audit/audit_retention.h"

#include <string>
#include <utility>

#include "base/log.h"
#include "services/audit/limits.h"

namespace dendro {

AuditRetention::AuditRetention(AuditRetentionParts parts) : parts_(std::move(parts)) {}

AuditRetention::~AuditRetention() {
  MutexLock lock(mutex_);
  is_stopping_ = true;
  wake_.notify_all();
}

void AuditRetention::start() {
  thread_ = std::jthread([this] { run(); });
}

void AuditRetention::run() {
  for (;;) {
    run_once();
    MutexLock lock(mutex_);
    if (!is_stopping_) wake_.wait_for(mutex_, kAuditRetentionTurn);
    if (is_stopping_) return;
  }
}

void AuditRetention::run_once() {
  if (parts_.believes_clock && !parts_.believes_clock()) return;
  for (const TenantId& tenant : parts_.tenants()) {
    const AuditTenantSettings settings = parts_.settings_of ? parts_.settings_of(tenant) : AuditTenantSettings();
    const auto deleted = parts_.store.delete_older(tenant, audit_cutoff(parts_.clock.now(), settings.retention_days));
    if (!deleted) {
      log(LogLevel::warning, "audit", "old logs not deleted, trying again later",
          {{"tenant", tenant.text()}, {"error", deleted.error().message()}});
    } else if (*deleted > 0) {
      log(LogLevel::info, "audit", "old logs deleted",
          {{"tenant", tenant.text()}, {"count", std::to_string(*deleted)}});
    }
  }
}

Timestamp audit_cutoff(Timestamp now, std::int64_t days) {
  return Timestamp(now.number() - std::min(days, kAuditCleanupDaysMax) * kNanosPerDay);
}

}  // namespace dendro
