#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

/// A key of a tenant, encrypted with the master key.
struct PrivacyKeyRow {
  TenantId tenant = TenantId::default_tenant();
  std::uint32_t version = 1;  ///< 1 to 255; the highest is the one that encrypts
  std::string wrapped;        ///< base64
  Timestamp created;
};

/// What tenants' values are encrypted with, and the rules that hold for tenants without their own. Thread-safe; every
/// call may wait for the disk.
class PrivacyKeyTable {
 public:
  explicit PrivacyKeyTable(MetaDatabase& database) : database_(database) {}

  /// By tenant and version.
  Result<std::vector<PrivacyKeyRow>> list() const;
  /// Errors: already_exists (the version is there).
  Status add(const PrivacyKeyRow& row);
  /// Other wrappings of keys that are there, all or none.
  Status rewrap(const std::vector<PrivacyKeyRow>& rows);
  /// All keys of the tenant, out of the database's files, too; how many there were.
  Result<std::uint64_t> erase(const TenantId& tenant);

  /// A JSON list of masking rules.
  Result<std::string> default_rules() const;
  Status set_default_rules(const std::string& rules);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
