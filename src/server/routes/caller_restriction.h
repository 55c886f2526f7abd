#pragma once

#include <memory>
#include <string_view>

#include "identity/principal.h"
#include "services/access/restricted_snapshot.h"

namespace dendro {

/// What `access` lets its holder see of a tenant's records; null: everything, as where nobody is asked who they are
/// (`access` null). Compiles filters: call it on a worker.
/// Errors: permission_denied (a role's filter cannot be read; the own log says why).
Result<std::shared_ptr<const RecordRestriction>> restriction_of(const Access* access, Timestamp now,
                                                                std::string_view request_id);

}  // namespace dendro
