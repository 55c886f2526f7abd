#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "meta/meta_database.h"

namespace dendro {

struct SavedQuery {
  std::string id;    ///< 16 hexadecimal digits
  std::string name;  ///< unique within the tenant
  std::string query;
  std::string settings;  ///< a JSON document of the page's own: columns, view, range
  Timestamp created, updated;
};

/// Queries that a tenant's users keep under a name. Thread-safe; every call may wait for the disk.
class SavedQueries {
 public:
  static constexpr std::size_t kPerTenantMax = 1'000;
  static constexpr std::size_t kNameBytesMax = 200;
  static constexpr std::size_t kQueryBytesMax = std::size_t{64} << 10;
  static constexpr std::size_t kSettingsBytesMax = std::size_t{16} << 10;

  /// All outlive this.
  SavedQueries(MetaDatabase& database, const Clock& clock, RandomSource& random)
      : database_(database), clock_(clock), random_(random) {}

  /// By name.
  Result<std::vector<SavedQuery>> list(const TenantId& tenant) const;
  /// Errors: not_found.
  Result<SavedQuery> get(const TenantId& tenant, std::string_view id) const;
  Result<std::optional<SavedQuery>> find(const TenantId& tenant, std::string_view name) const;

  struct Contents {
    std::string name, query, settings;
  };
  /// Errors: invalid_argument (empty name), too_large (over a limit above), already_exists (the name),
  /// resource_exhausted (kPerTenantMax).
  Result<SavedQuery> create(const TenantId& tenant, const Contents& contents);
  /// Errors: those of create; not_found.
  Result<SavedQuery> replace(const TenantId& tenant, std::string_view id, const Contents& contents);
  /// Errors: not_found.
  Status remove(const TenantId& tenant, std::string_view id);

 private:
  MetaDatabase& database_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace dendro
