#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "server/route.h"
#include "services/audit/audit_filter.h"
#include "services/audit/audit_store.h"

namespace dendro {

/// A whole number of the query text from `min` to `max`; nothing, and perhaps a fault, otherwise.
std::optional<std::int64_t> audit_number(const HttpRequest& request, std::string_view name, std::int64_t min,
                                         std::int64_t max, FieldFaults& faults);
/// `true`, `false` and the like; `false` where it is absent.
bool audit_truth(const HttpRequest& request, std::string_view name, FieldFaults& faults);
/// The filters of five-systems.md 4.4.
AuditFilter audit_filter_of(const HttpRequest& request, FieldFaults& faults);
/// skip, limit, cursor.
AuditPageRequest audit_page_of(const HttpRequest& request, FieldFaults& faults);

// For the documents.
void add_filter_params(Route& route);
void add_page_params(Route& route);

}  // namespace dendro
