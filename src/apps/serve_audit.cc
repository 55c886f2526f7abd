#include "apps/serve_audit.h"

#include <algorithm>
#include <utility>

#include "server/metric_text.h"
#include "server/routes/audit_routes.h"

namespace dendro {

AuditTenantSettings audit_settings_of(const TenantSettings& settings) {
  AuditTenantSettings of_audit;
  of_audit.retention_days = settings.retention_days;
  for (std::size_t i = 0; i < kAuditSeverityCount; ++i) {
    const std::string name(audit_severity_name(static_cast<AuditSeverity>(i)));
    of_audit.takes_severity[i] = std::ranges::find(settings.log_levels, name) != settings.log_levels.end();
  }
  return of_audit;
}

ServeAudit::ServeAudit(Parts parts)
    : workers_(parts.workers),
      random_(parts.random),
      store_(make_engine_audit_store(parts.store, parts.clock, {.limits = parts.limits})),
      trail_(make_engine_access_trail(parts.store, parts.clock, parts.random, parts.limits)),
      pipeline_(std::make_unique<AuditPipeline>(*store_, parts.random, parts.settings_of)),
      streams_(AuditStreamHub::start(*store_, parts.workers)) {
  AuditRetentionParts retention{*store_, parts.clock, std::move(parts.settings_of), std::move(parts.tenants), {}};
  if (!retention.tenants) retention.tenants = [] { return std::vector<TenantId>{TenantId::default_tenant()}; };
  retention.believes_clock = [&store = parts.store] { return store.condition().wall_clock_lead.count() <= 0; };
  retention_ = std::make_unique<AuditRetention>(std::move(retention));
  retention_->start();
}

std::vector<Route> ServeAudit::routes(const std::string& api_prefix) {
  return make_audit_routes({workers_, *store_, *pipeline_, *trail_, *streams_, random_, api_prefix});
}

void ServeAudit::append_metrics(std::string& out) const {
  append_metric(out, "dendro_audit_logs_stored_total", "counter", "audit logs taken", pipeline_->logs_taken());
  append_metric(out, "dendro_audit_logs_rejected_total", "counter", "audit logs that were wrong",
                pipeline_->logs_rejected());
  append_metric(out, "dendro_audit_streams_open", "gauge", "readers of the audit log stream", streams_->open_streams());
}

void ServeAudit::stop() {
  retention_.reset();
  streams_->stop();
}

}  // namespace dendro
