#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

enum class TenantState : std::uint8_t {
  active,
  suspended,
  deleting,  ///< decided, not yet carried out: goes on at the next start
  deleted,   ///< nothing of it is left but this row
};

struct TenantRow {
  TenantId id;
  std::string object_id;     ///< 24 lower-case hexadecimal digits
  std::string name;          ///< for people
  std::string settings;      ///< a JSON document, services/tenants reads it
  std::string api_key_hash;  ///< SHA-256 in hexadecimal of what `POST /tenants` was given; or empty
  TenantState state = TenantState::active;
  std::string proof;  ///< of a deleted one: a JSON document saying what was deleted and when
  Timestamp created;
};

/// Bytes that a tenant sent on a UTC day.
struct TenantUsageRow {
  std::int64_t day = 0;  ///< since 1970
  std::uint64_t ingested_bytes = 0;
};

/// The tenants that somebody created. Thread-safe; every call may wait for the disk.
class TenantRegister {
 public:
  /// Outlives this.
  explicit TenantRegister(MetaDatabase& database) : database_(database) {}

  /// By tenant id; those deleted too.
  Result<std::vector<TenantRow>> list() const;
  /// Puts a row in the place of a deleted one, or where there is none. Errors: already_exists.
  Status create(const TenantRow& row);
  /// Name, settings, state and proof. Errors: not_found.
  Status replace(const TenantRow& row);
  /// Takes a tenant's rows out of every table that has a column `tenant`. The number of rows.
  Result<std::uint64_t> erase_rows_of(const TenantId& tenant);

  Result<std::map<TenantId, TenantUsageRow>> usage() const;
  Status save_usage(const std::map<TenantId, TenantUsageRow>& usage);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
