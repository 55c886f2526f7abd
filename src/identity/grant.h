#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/principal.h"
#include "identity/role.h"

namespace dendro {

/// How lists of tenants name every one.
inline constexpr std::string_view kEveryTenant = "*";
/// Tenants that one credential may name; "*" holds more.
inline constexpr std::size_t kGrantTenantsMax = 100;

/// 1 to kGrantTenantsMax names of tenants, or "*". Errors: invalid_argument.
Status check_tenant_names(std::span<const std::string> tenants);

/// The same roles in each of the tenants. Errors: invalid_argument (no name of a tenant).
Result<std::vector<Grant>> make_grants(std::span<const std::string> tenants, std::span<const Role> roles);

}  // namespace dendro
