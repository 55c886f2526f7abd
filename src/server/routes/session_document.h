#pragma once

#include <string>

#include "base/timestamp.h"
#include "identity/principal.h"
#include "services/tenants/tenant_service.h"

namespace dendro {

/// What a page is told about who uses it (ui.md 11.7): {"user":{"id","name","kind"},"tenants":[{"id","name","role",
/// "permissions"}],"instance_admin","guest":{"used","limit"},"expires_at"}. Of every tenant it lists those that
/// somebody created, and `default`.
std::string session_document(const Principal& principal, const TenantService& tenants);
/// The same where nobody is asked: `user` is null, the one tenant is `default`, with every right.
std::string open_session_document();

}  // namespace dendro
