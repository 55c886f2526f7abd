#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

struct RoleRow {
  std::string name;
  std::vector<std::string> permissions;
  std::string row_filter;
  std::vector<std::string> hidden_fields, masked_fields;
  Timestamp updated;
};

/// Roles that an administrator made. Thread-safe; every call may wait for the disk.
class RoleTable {
 public:
  static constexpr std::size_t kRolesMax = 1'000;

  explicit RoleTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  /// By name.
  Result<std::vector<RoleRow>> list() const;
  Result<std::optional<RoleRow>> find(const std::string& name) const;
  /// Makes it or replaces the one of its name. Errors: resource_exhausted (kRolesMax).
  Status put(const RoleRow& row);
  /// Errors: not_found.
  Status remove(const std::string& name);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
