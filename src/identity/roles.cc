#include "identity/roles.h"

#include <algorithm>

#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::size_t kRoleNameBytesMax = 63;

Error role_fault(const Role& role, const std::string& what) {
  return Error(ErrorCode::invalid_argument, "role \"" + role.name + "\": " + what);
}

bool is_role_name(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kRoleNameBytesMax && is_lower(name.front()) &&
         std::ranges::all_of(name,
                             [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

Status check_fields(const Role& role, std::string_view what, const std::vector<std::string>& fields) {
  if (fields.size() > Roles::kFieldsMax) {
    return role_fault(role, std::string(what) + ": at most " + std::to_string(Roles::kFieldsMax) + " fields are taken");
  }
  for (const std::string& field : fields) {
    if (field.empty() || field.size() > Roles::kFieldBytesMax || !is_valid_utf8(field)) {
      return role_fault(role, std::string(what) + ": a name of a field has 1 to " +
                                  std::to_string(Roles::kFieldBytesMax) + " bytes of UTF-8");
    }
  }
  return {};
}

RoleRow row_of_role(const Role& role, Timestamp now) {
  RoleRow row{role.name, {}, role.row_filter, role.hidden_fields, role.masked_fields, now};
  for (const Permission one : role.permissions.list()) row.permissions.emplace_back(permission_name(one));
  return row;
}

/// Permissions that this version does not know are no rights here.
Role role_of_row(RoleRow row) {
  Role role{std::move(row.name),          {},   std::move(row.row_filter), std::move(row.hidden_fields),
            std::move(row.masked_fields), false};
  for (const std::string& name : row.permissions) {
    if (const auto permission = parse_permission(name)) role.permissions.add(*permission);
  }
  return role;
}

Error read_only_role(std::string_view name) {
  return Error(ErrorCode::permission_denied,
               "role \"" + std::string(name) + "\" is built in or of the configuration: it is changed there");
}

}  // namespace

Status check_role(const Role& role, const RowFilterCheck& check_filter) {
  if (!is_role_name(role.name)) {
    return role_fault(role, "a name has 1 to 63 characters of a-z 0-9 _ -, the first a letter");
  }
  if (role.permissions.empty()) return role_fault(role, "has no permission");
  if (role.row_filter.size() > Roles::kRowFilterBytesMax) {
    return role_fault(role, "row_filter: at most " + std::to_string(Roles::kRowFilterBytesMax) + " bytes are taken");
  }
  DENDRO_TRY(check_fields(role, "hidden_fields", role.hidden_fields));
  DENDRO_TRY(check_fields(role, "masked_fields", role.masked_fields));
  if (role.row_filter.empty()) return {};
  const Status filter = check_filter(role.row_filter);
  return filter ? Status() : role_fault(role, "row_filter: " + filter.error().message());
}

Roles::Roles(MetaDatabase& database, const Clock& clock, RowFilterCheck check_filter, std::vector<Role> of_settings)
    : clock_(clock), check_filter_(std::move(check_filter)), table_(database), read_only_(std::move(of_settings)) {
  for (Role& role : read_only_) role.is_read_only = true;
  for (const Role& role : built_in_roles()) {
    if (find_read_only(role.name) == nullptr) read_only_.push_back(role);
  }
}

const Role* Roles::find_read_only(std::string_view name) const {
  const auto found = std::ranges::find_if(read_only_, [&](const Role& role) { return role.name == name; });
  return found == read_only_.end() ? nullptr : &*found;
}

Result<std::vector<Role>> Roles::list() const {
  DENDRO_TRY_ASSIGN(std::vector<RoleRow> rows, table_.list());
  std::vector<Role> all = read_only_;
  for (RoleRow& row : rows) {
    if (find_read_only(row.name) == nullptr) all.push_back(role_of_row(std::move(row)));
  }
  return all;
}

Result<std::vector<Role>> Roles::find(std::span<const std::string> names) const {
  std::vector<Role> found;
  for (const std::string& name : names) {
    if (std::ranges::any_of(found, [&](const Role& role) { return role.name == name; })) continue;
    if (const Role* const role = find_read_only(name)) {
      found.push_back(*role);
      continue;
    }
    DENDRO_TRY_ASSIGN(auto row, table_.find(name));
    if (row) found.push_back(role_of_row(std::move(*row)));
  }
  return found;
}

Status Roles::check_known(std::span<const std::string> names) const {
  for (const std::string& name : names) {
    DENDRO_TRY_ASSIGN(const std::vector<Role> found, find(std::span(&name, 1)));
    if (found.empty()) return Error(ErrorCode::invalid_argument, "there is no role \"" + name + "\"");
  }
  return {};
}

Status Roles::put(const Role& role) {
  if (find_read_only(role.name) != nullptr) return read_only_role(role.name);
  DENDRO_TRY(check_role(role, check_filter_));
  return table_.put(row_of_role(role, clock_.now()));
}

Status Roles::remove(const std::string& name) {
  if (find_read_only(name) != nullptr) return read_only_role(name);
  return table_.remove(name);
}

}  // namespace dendro
