#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

struct ApiKeyRow {
  std::string id;           ///< 12 base62 characters
  std::string secret_hash;  ///< hexadecimal; the secret itself is nowhere
  std::string name;
  std::vector<std::string> tenants;  ///< "*": every one
  std::vector<std::string> scopes, roles;
  std::string certificate;  ///< subject or SAN of a TLS client certificate that stands for the key; "": none does
  Timestamp created;
  Timestamp expires;    ///< 0: never
  Timestamp revoked;    ///< 0: it is not
  Timestamp last_used;  ///< 0: never; up to a minute behind
};

/// API keys. Thread-safe; every call may wait for the disk.
class ApiKeyTable {
 public:
  /// Revoked and expired ones stay, so that it can be told who they were; they count, and go where room is needed.
  static constexpr std::size_t kPerTenantMax = 100;
  static constexpr std::size_t kKeysMax = 10'000;

  explicit ApiKeyTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  /// Errors: already_exists (the id, or the certificate of a key that is not revoked), resource_exhausted (a limit
  /// above).
  Status insert(const ApiKeyRow& row);
  Result<std::optional<ApiKeyRow>> find(const std::string& id) const;
  /// Not among revoked ones.
  Result<std::optional<ApiKeyRow>> find_by_certificate(const std::string& name) const;
  /// By age, the oldest first; those of `tenant`, or of all ("").
  Result<std::vector<ApiKeyRow>> list(const std::string& tenant) const;
  /// A second time changes nothing. Errors: not_found.
  Status revoke(const std::string& id, Timestamp now);
  /// Ids that are no more are passed over.
  Status set_last_used(const std::map<std::string, Timestamp>& uses);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
