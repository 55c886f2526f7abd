#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace dendro {

/// What a caller needs; each route names one (five-systems.md 4.1). `open` = nobody is asked (health, documents).
enum class Permission : std::uint8_t {
  open,
  ingest,
  search,
  export_records,
  stats,
  stream,
  audit_trail,
  delete_old,
  keys,
  users,
  index,
  alerts,
  unmask,
  tenants,
  admin
};
inline constexpr std::size_t kPermissionCount = 15;
/// The name in roles, scopes and documents: "export" of export_records.
std::string_view permission_name(Permission permission);
std::optional<Permission> parse_permission(std::string_view name);

/// Set of permissions, a bit each.
class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> list) {
    for (const Permission one : list) add(one);
  }
  static constexpr PermissionSet all() {
    PermissionSet set;
    set.bits_ = (1u << kPermissionCount) - 1;
    return set;
  }
  constexpr void add(Permission permission) { bits_ |= bit(permission); }
  constexpr void add(PermissionSet other) { bits_ |= other.bits_; }
  constexpr void remove(Permission permission) { bits_ &= ~bit(permission); }
  constexpr bool has(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  /// In the order of the enum.
  std::vector<Permission> list() const;
  friend constexpr bool operator==(PermissionSet, PermissionSet) = default;

 private:
  static constexpr std::uint32_t bit(Permission permission) { return 1u << static_cast<unsigned>(permission); }
  std::uint32_t bits_ = 0;
};

}  // namespace dendro
