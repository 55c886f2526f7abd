#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "base/ids.h"
#include "services/audit/audit_log.h"

namespace dendro {

/// What a tenant has chosen about its audit logs (five-systems.md 4.4).
struct AuditTenantSettings {
  std::int64_t retention_days = 90;  ///< 1 or more
  /// `log_levels`: a log of another severity is refused. By the number of the enum.
  std::array<bool, kAuditSeverityCount> takes_severity = {true, true, true, true};
};

/// Asked for each request. Thread-safe, must not block. Empty: the defaults for every tenant.
using AuditSettingsOf = std::function<AuditTenantSettings(const TenantId&)>;

}  // namespace dendro
