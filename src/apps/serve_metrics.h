#pragma once

#include <string>

#include "services/privacy/privacy_service.h"
#include "services/search/running_queries.h"
#include "services/tenants/tenant_meters.h"
#include "storage/store.h"

namespace dendro {

// What /metrics says of the parts below the server, in Prometheus' text form. Thread-safe.

void append_store_metrics(std::string& out, const Store& store);
void append_query_metrics(std::string& out, const RunningQueries& queries);
void append_privacy_metrics(std::string& out, const PrivacyService& privacy);
/// Labelled by tenant; see TenantMeters for which.
void append_tenant_metrics(std::string& out, TenantMeters& meters);

}  // namespace dendro
