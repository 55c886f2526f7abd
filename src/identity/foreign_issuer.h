#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json_document.h"
#include "identity/jwt/issuer_keys.h"
#include "identity/jwt/jwt.h"

namespace dendro {

/// An issuer whose tokens are taken: a block `[[auth.issuers]]` of the configuration.
struct IssuerSettings {
  std::string issuer;    ///< `iss`, letter by letter
  std::string audience;  ///< one of `aud`
  // One of the two; with neither, where the issuer's own description says (OpenID Connect Discovery).
  std::string keys_url;
  std::string keys_file;
  std::vector<SignatureAlgorithm> algorithms = {SignatureAlgorithm::rs256, SignatureAlgorithm::es256,
                                                SignatureAlgorithm::eddsa};
  std::string tenants_claim = "tenant_ids", roles_claim = "roles";
  std::vector<std::string> tenants_max = {"*"};             ///< what its tokens may hold at most
  std::vector<std::string> default_tenants, default_roles;  ///< of tokens without those claims
};
/// Errors: invalid_argument naming issuer and member.
Result<IssuerSettings> parse_issuer_settings(const JsonValue& block);

/// Whom a token of another issuer is about, and what it grants.
struct ForeignIdentity {
  std::string issuer, subject;
  std::string token_id;  ///< `jti`; may be empty
  std::string name;      ///< for people; may be empty
  std::vector<std::string> tenants, roles;
  Timestamp expires;
};

/// One other issuer. Thread-safe.
class ForeignIssuer {
 public:
  /// Its clock and ours.
  static constexpr std::chrono::seconds kSkew{60};
  /// Groups of a directory can be many; each is looked up.
  static constexpr std::size_t kRolesMax = 200;

  /// `clock` outlives this.
  ForeignIssuer(IssuerSettings settings, std::unique_ptr<KeySource> source, const Clock& clock)
      : settings_(std::move(settings)), keys_(settings_.issuer, std::move(source), clock), clock_(clock) {}

  const std::string& name() const { return settings_.issuer; }
  /// `jwt` has this issuer as `iss`. The algorithm is judged before a key is looked at. May wait for the keys.
  /// Errors: unauthenticated (expired, or why for the own log), unavailable.
  Result<ForeignIdentity> check(const Jwt& jwt);
  /// `tenants` as far as the settings let its tokens hold them.
  std::vector<std::string> bounded(std::vector<std::string> tenants) const;

  IssuerKeys& keys() { return keys_; }

 private:
  const IssuerSettings settings_;
  IssuerKeys keys_;
  const Clock& clock_;
};

/// By file, address or discovery, as the settings say. `files`, `http` and `clock` outlive it.
/// Errors: invalid_argument (keys from the network, but `http` is null).
Result<std::unique_ptr<ForeignIssuer>> make_foreign_issuer(IssuerSettings settings, FileSystem& files, HttpClient* http,
                                                           const Clock& clock);

}  // namespace dendro
