#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "identity/principal.h"
#include "identity/roles.h"
#include "meta/api_key_table.h"

namespace dendro {

struct ApiKeyRequest {
  std::string name;                  ///< for people; 1 to 200 bytes
  std::vector<std::string> tenants;  ///< or "*"
  std::vector<std::string> scopes;   ///< ingest, search, export, admin
  std::vector<std::string> roles;    ///< beside them; with neither a key could do nothing
  std::string certificate;  ///< name of a TLS client certificate that stands for it too, "DNS:agent-7.example.org";
                            ///< may be empty
  std::optional<Timestamp> expires;
};
struct MadeApiKey {
  ApiKeyRow row;
  std::string key;  ///< "dk_<id>_<secret>": shown once, stored nowhere
};

/// API keys: "dk_", 12 base62 characters to look it up by, "_", 32 base62 characters of secret (190 bits), of which
/// SHA-256 is stored: what cannot be guessed needs no slow hash. Thread-safe; every call may wait for the disk.
class ApiKeys {
 public:
  static constexpr std::string_view kPrefix = "dk_";
  static constexpr std::size_t kNameBytesMax = 200;
  static constexpr std::size_t kCertificateBytesMax = 512;

  /// All outlive this.
  ApiKeys(MetaDatabase& database, const Roles& roles, const Clock& clock, RandomSource& random)
      : table_(database), roles_(roles), clock_(clock), random_(random) {}

  /// Errors: invalid_argument, already_exists (the certificate), resource_exhausted (keys of a tenant).
  Result<MadeApiKey> create(const ApiKeyRequest& request);
  /// Those of `tenant`, or all (""), the oldest first.
  Result<std::vector<ApiKeyRow>> list(const std::string& tenant) const { return table_.list(tenant); }
  Result<std::optional<ApiKeyRow>> find(const std::string& id) const { return table_.find(id); }
  /// Errors: not_found.
  Status revoke(const std::string& id) { return table_.revoke(id, clock_.now()); }
  Status set_last_used(const std::map<std::string, Timestamp>& uses) { return table_.set_last_used(uses); }

  // Errors of these: unauthenticated; those of the database.
  /// The whole key, as it was shown.
  Result<PrincipalPtr> authenticate(std::string_view key) const;
  /// The names of a certificate, one a line: the first that a key has.
  Result<PrincipalPtr> authenticate_certificate(std::string_view names) const;
  /// For a session that such a key opened.
  Result<PrincipalPtr> authenticate_id(const std::string& id) const;

 private:
  Result<PrincipalPtr> principal_of(const ApiKeyRow& row, Principal::Kind kind) const;
  ApiKeyTable table_;
  const Roles& roles_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace dendro
