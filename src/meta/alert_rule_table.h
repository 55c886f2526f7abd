#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "meta/meta_database.h"

namespace dendro {

struct AlertRuleRow {
  std::string id;  ///< 16 hexadecimal digits
  TenantId tenant = TenantId::default_tenant();
  std::string name;      ///< unique within the tenant
  std::string document;  ///< JSON; what it means is its owner's
  Timestamp created, updated;
};

/// Rules that a tenant's users made. Thread-safe; every call may wait for the disk.
class AlertRuleTable {
 public:
  static constexpr std::size_t kPerTenantMax = 500;

  /// All outlive this.
  AlertRuleTable(MetaDatabase& database, const Clock& clock, RandomSource& random)
      : database_(database), clock_(clock), random_(random) {}

  /// Of all tenants, by tenant and name.
  Result<std::vector<AlertRuleRow>> list() const;
  /// Errors: already_exists (the name), resource_exhausted (kPerTenantMax).
  Result<AlertRuleRow> create(const TenantId& tenant, const std::string& name, const std::string& document);
  /// Errors: already_exists (the name), not_found.
  Result<AlertRuleRow> replace(const TenantId& tenant, std::string_view id, const std::string& name,
                               const std::string& document);
  /// With its states and history. Errors: not_found.
  Status remove(const TenantId& tenant, std::string_view id);

 private:
  MetaDatabase& database_;
  const Clock& clock_;
  RandomSource& random_;
};

struct AlertSilenceRow {
  std::string id;        ///< 16 hexadecimal digits
  std::string matchers;  ///< JSON; what it means is its owner's
  Timestamp starts, ends;
  std::string comment;
  Timestamp created;
};

/// Times in which some alerts are not told. Thread-safe; every call may wait for the disk.
class AlertSilenceTable {
 public:
  static constexpr std::size_t kPerTenantMax = 500;
  /// One that has ended is listed for so long.
  static constexpr std::chrono::hours kShownAfterEnd{24 * 7};

  /// All outlive this.
  AlertSilenceTable(MetaDatabase& database, const Clock& clock, RandomSource& random)
      : database_(database), clock_(clock), random_(random) {}

  /// The latest begin first.
  Result<std::vector<AlertSilenceRow>> list(const TenantId& tenant) const;
  /// Gives `row` an id and a time. Errors: resource_exhausted (kPerTenantMax).
  Result<AlertSilenceRow> create(const TenantId& tenant, AlertSilenceRow row);
  /// Errors: not_found.
  Status remove(const TenantId& tenant, std::string_view id);

 private:
  MetaDatabase& database_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace dendro
