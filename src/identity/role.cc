#include "identity/role.h"

#include <algorithm>
#include <array>
#include <set>

namespace dendro {
namespace {

/// Without one of these nobody sees a record.
constexpr PermissionSet kSeesRecords = {Permission::search, Permission::export_records, Permission::stats,
                                        Permission::stream, Permission::alerts};

bool sees_records(const Role& role) {
  return std::ranges::any_of(kSeesRecords.list(), [&](Permission one) { return role.permissions.has(one); });
}

using FieldSet = std::set<std::string>;

FieldSet intersection(const FieldSet& left, const FieldSet& right) {
  FieldSet both;
  std::ranges::set_intersection(left, right, std::inserter(both, both.end()));
  return both;
}

}  // namespace

std::span<const Role> built_in_roles() {
  static const std::array<Role, 4> kRoles = {{
      {"reader",
       {Permission::search, Permission::export_records, Permission::stats, Permission::stream},
       "",
       {},
       {},
       true},
      {"writer",
       {Permission::ingest, Permission::delete_old, Permission::search, Permission::export_records, Permission::stats},
       "",
       {},
       {},
       true},
      {"auditor",
       {Permission::search, Permission::export_records, Permission::stats, Permission::stream, Permission::audit_trail},
       "",
       {},
       {},
       true},
      {"admin", PermissionSet::all(), "", {}, {}, true},
  }};
  return kRoles;
}

std::optional<PermissionSet> scope_permissions(std::string_view scope) {
  if (scope == "ingest") return PermissionSet{Permission::ingest};
  if (scope == "search") return PermissionSet{Permission::search, Permission::stats, Permission::stream};
  if (scope == "export") return PermissionSet{Permission::export_records};
  if (scope == "admin") return PermissionSet::all();
  return std::nullopt;
}

std::shared_ptr<const Access> combine_roles(std::span<const Role> roles, bool every_tenant) {
  auto access = std::make_shared<Access>();
  std::optional<FieldSet> hidden, covered;  // of the roles so far that see records; covered: hidden or masked
  bool sees_every_record = false;
  for (const Role& role : roles) {
    access->permissions.add(role.permissions);
    if (!role.name.empty()) access->roles.push_back(role.name);
    if (!sees_records(role)) continue;
    sees_every_record |= role.row_filter.empty();
    access->row_filters.push_back(role.row_filter);
    const FieldSet hides(role.hidden_fields.begin(), role.hidden_fields.end());
    FieldSet covers = hides;
    covers.insert(role.masked_fields.begin(), role.masked_fields.end());
    hidden = hidden ? intersection(*hidden, hides) : hides;
    covered = covered ? intersection(*covered, covers) : covers;
  }
  if (sees_every_record) access->row_filters.clear();
  if (!every_tenant) access->permissions.remove(Permission::tenants);
  if (hidden) {
    access->hidden_fields.assign(hidden->begin(), hidden->end());
    std::ranges::set_difference(*covered, *hidden, std::back_inserter(access->masked_fields));
  }
  return access;
}

}  // namespace dendro
