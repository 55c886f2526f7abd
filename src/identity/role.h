#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "identity/permission.h"
#include "identity/principal.h"

namespace dendro {

/// A set of permissions under a name, and what of the records stays unseen by its holders.
struct Role {
  std::string name;
  PermissionSet permissions;
  std::string row_filter;  ///< a filter in the query language: only records that it takes; empty: every one
  std::vector<std::string> hidden_fields, masked_fields;
  bool is_read_only = false;  ///< built in, or of the configuration
};

/// reader, writer, auditor, admin (five-systems.md 4.1).
std::span<const Role> built_in_roles();

/// What an API key with this scope may do: ingest, search (with stats and stream), export, admin. Nothing: no scope.
std::optional<PermissionSet> scope_permissions(std::string_view scope);

/// What all of `roles` together allow in a tenant. Permissions add up. Filters and fields matter of roles that let
/// records be seen, so that a role for writing lifts no filter of another: a record is seen if any of their filters
/// takes it, all are if one has none; a field is hidden if each hides it, masked if each hides or masks it.
/// @param every_tenant  the grant is for "*": only there the right to make and remove tenants counts.
std::shared_ptr<const Access> combine_roles(std::span<const Role> roles, bool every_tenant);

}  // namespace dendro
