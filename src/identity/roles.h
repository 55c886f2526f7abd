#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "identity/role.h"
#include "meta/role_table.h"

namespace dendro {

/// Whether the text is a filter of the query language. Errors: invalid_argument, with what is wrong.
using RowFilterCheck = std::function<Status(const std::string& filter)>;

/// All roles: built in, of the configuration (which may redefine a built-in one but admin), made by administrators.
/// They hold in every tenant, so only who administers every tenant may change them: the caller sees to that.
/// Thread-safe; every call may wait for the disk.
class Roles {
 public:
  static constexpr std::size_t kRowFilterBytesMax = 4'096;
  static constexpr std::size_t kFieldsMax = 100;
  static constexpr std::size_t kFieldBytesMax = 256;

  /// `database` and `clock` outlive this. `of_settings` were checked by check_role.
  Roles(MetaDatabase& database, const Clock& clock, RowFilterCheck check_filter, std::vector<Role> of_settings = {});

  /// Read-only ones first, the others by name.
  Result<std::vector<Role>> list() const;
  /// Those of `names` that there are, each once.
  Result<std::vector<Role>> find(std::span<const std::string> names) const;
  /// Errors: invalid_argument naming one that is not there.
  Status check_known(std::span<const std::string> names) const;
  /// Makes it, or replaces the one of its name. Errors: invalid_argument, permission_denied (a read-only one),
  /// resource_exhausted.
  Status put(const Role& role);
  /// Who has it keeps its name without any right. Errors: not_found, permission_denied.
  Status remove(const std::string& name);

 private:
  const Role* find_read_only(std::string_view name) const;
  const Clock& clock_;
  const RowFilterCheck check_filter_;
  mutable RoleTable table_;
  std::vector<Role> read_only_;
};

/// Name [a-z][a-z0-9_-]{0,62}, some permission, filter and fields within the limits of Roles.
/// Errors: invalid_argument.
Status check_role(const Role& role, const RowFilterCheck& check_filter);

}  // namespace dendro
