#pragma once

#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "identity/identity_parts.h"
#include "server/options.h"
#include "server/route.h"
#include "services/tenants/tenant_service.h"

namespace dendro {

/// What sign-in works with; all of it outlives the routes.
struct SessionRouteParts {
  WorkerPool& workers;
  IdentityParts& identity;
  const TenantService& tenants;
  const ServerOptions& options;
  std::string version;
};

/// `/api/v1/config`, `/api/v1/session` and sign-in by a provider (ui.md 11.7): the routes that ask nobody who they are
/// before they answer. What bounds strangers here: bodies of 16 KiB, SignInRate, lock-out, two password hashes at once.
std::vector<Route> make_session_routes(const SessionRouteParts& parts);

}  // namespace dendro
