#pragma once

#include <memory>
#include <string_view>

#include "identity/principal.h"
#include "server/http_message.h"
#include "services/access/restricted_snapshot.h"
#include "services/audit/audit_store.h"

namespace dendro {

/// What `access` lets its holder see of a tenant's records; null: everything, as where nobody is asked who they are
/// (`access` null). Compiles filters: call it on a worker.
/// Errors: permission_denied (a role's filter cannot be read; the own log says why).
Result<std::shared_ptr<const RecordRestriction>> restriction_of(const Access* access, Timestamp now,
                                                                std::string_view request_id);

/// The same for answers of fixed fields, of one source of records: null unless the caller's roles have row filters,
/// hidden or masked fields. Errors: those of restriction_of; permission_denied (a needed field is kept from it).
Result<std::shared_ptr<const RecordRestriction>> restriction_of(const HttpRequest& request, const NeededFields& needed);
/// The reader of audit logs that a request makes. Errors: those of restriction_of.
Result<AuditReader> audit_reader_of(const HttpRequest& request);

}  // namespace dendro
