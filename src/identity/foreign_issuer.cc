#include "identity/foreign_issuer.h"

#include <algorithm>

#include "identity/credential_error.h"
#include "identity/grant.h"
#include "identity/jwt/claims.h"

namespace dendro {
namespace {

/// Reads one block; says which issuer is wrong.
class IssuerReader {
 public:
  explicit IssuerReader(const JsonValue& block) : block_(block) {}

  Result<IssuerSettings> run() {
    for (const auto& [name, value] : block_.members()) DENDRO_TRY(take(name, value));
    if (settings_.issuer.empty()) return fault("issuer", "must be there: what its tokens call it");
    const bool is_described = settings_.keys_url.empty() && settings_.keys_file.empty();
    if (is_described && !is_safe_key_url(settings_.issuer)) {
      return fault("issuer", "must be an https address (http on this machine), or name keys_url or keys_file");
    }
    if (settings_.audience.empty()) return fault("audience", "must be there: who the tokens are for");
    if (!settings_.keys_url.empty() && !settings_.keys_file.empty()) {
      return fault("keys_file", "name keys_url or keys_file, not both");
    }
    if (!settings_.keys_url.empty() && !is_safe_key_url(settings_.keys_url)) {
      return fault("keys_url", "must be an https address (http on this machine)");
    }
    if (!check_tenant_names(settings_.tenants_max)) return fault("tenants_max", "must be names of tenants, or \"*\"");
    if (!settings_.default_tenants.empty() && !check_tenant_names(settings_.default_tenants)) {
      return fault("default_tenants", "must be names of tenants");
    }
    return std::move(settings_);
  }

 private:
  Error fault(std::string_view member, std::string_view what) const {
    return Error(ErrorCode::invalid_argument,
                 "issuer \"" + settings_.issuer + "\": " + std::string(member) + ": " + std::string(what));
  }

  Status take(const std::string& name, const JsonValue& value) {
    struct TextMember {
      std::string_view name;
      std::string IssuerSettings::* place;
    };
    struct ListMember {
      std::string_view name;
      std::vector<std::string> IssuerSettings::* place;
    };
    constexpr TextMember kTexts[] = {
        {"issuer", &IssuerSettings::issuer},           {"audience", &IssuerSettings::audience},
        {"keys_url", &IssuerSettings::keys_url},       {"keys_file", &IssuerSettings::keys_file},
        {"roles_claim", &IssuerSettings::roles_claim}, {"tenants_claim", &IssuerSettings::tenants_claim}};
    constexpr ListMember kLists[] = {{"tenants_max", &IssuerSettings::tenants_max},
                                     {"default_tenants", &IssuerSettings::default_tenants},
                                     {"default_roles", &IssuerSettings::default_roles}};
    for (const TextMember& member : kTexts) {
      if (member.name != name) continue;
      if (!value.is_string()) return fault(name, "must be a text");
      settings_.*member.place = std::string(*value.as_string());
      return {};
    }
    for (const ListMember& member : kLists) {
      if (member.name == name) return read_list(name, value, settings_.*member.place);
    }
    return name == "algorithms" ? read_algorithms(value) : fault(name, "there is no such setting");
  }

  Status read_list(std::string_view name, const JsonValue& value, std::vector<std::string>& out) const {
    out.clear();
    if (!value.is_array()) return fault(name, "must be a list of texts");
    for (const JsonValue& element : value.elements()) {
      if (!element.is_string()) return fault(name, "must be a list of texts");
      out.emplace_back(*element.as_string());
    }
    return {};
  }

  Status read_algorithms(const JsonValue& value) {
    std::vector<std::string> names;
    DENDRO_TRY(read_list("algorithms", value, names));
    settings_.algorithms.clear();
    for (const std::string& name : names) {
      const auto algorithm = parse_signature_algorithm(name);
      if (!algorithm || is_symmetric(*algorithm)) return fault("algorithms", "must be of RS256, ES256, EdDSA");
      settings_.algorithms.push_back(*algorithm);
    }
    return settings_.algorithms.empty() ? fault("algorithms", "must name one") : Status();
  }

  const JsonValue& block_;
  IssuerSettings settings_;
};

}  // namespace

Result<IssuerSettings> parse_issuer_settings(const JsonValue& block) {
  return IssuerReader(block).run();
}

Result<ForeignIdentity> ForeignIssuer::check(const Jwt& jwt) {
  if (std::ranges::find(settings_.algorithms, jwt.algorithm) == settings_.algorithms.end()) {
    return unauthenticated("token: alg is not taken of " + settings_.issuer);
  }
  DENDRO_TRY_ASSIGN(const SignatureKey key, keys_.find(jwt.key_id, jwt.algorithm));
  if (!key.verifies(jwt.signed_part, jwt.signature)) return unauthenticated("token: the signature is wrong");
  ClaimRules rules;
  rules.now = clock_.now();
  rules.skew = kSkew;
  rules.audience = settings_.audience;
  rules.tenants_claim = settings_.tenants_claim;
  rules.roles_claim = settings_.roles_claim;
  DENDRO_TRY_ASSIGN(TokenClaims claims, check_claims(jwt.claims, rules));
  ForeignIdentity identity{settings_.issuer,
                           std::move(claims.subject),
                           std::move(claims.token_id),
                           std::move(claims.name),
                           bounded(claims.tenants ? std::move(*claims.tenants) : settings_.default_tenants),
                           claims.roles ? std::move(*claims.roles) : settings_.default_roles,
                           claims.expires};
  if (identity.tenants.size() > kGrantTenantsMax || identity.roles.size() > kRolesMax) {
    return unauthenticated("token: names too many tenants or roles");
  }
  return identity;
}

std::vector<std::string> ForeignIssuer::bounded(std::vector<std::string> tenants) const {
  const auto has = [](const std::vector<std::string>& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
  };
  if (has(settings_.tenants_max, kEveryTenant)) return tenants;
  if (has(tenants, kEveryTenant)) return settings_.tenants_max;
  std::erase_if(tenants, [&](const std::string& name) { return !has(settings_.tenants_max, name); });
  return tenants;
}

Result<std::unique_ptr<ForeignIssuer>> make_foreign_issuer(IssuerSettings settings, FileSystem& files, HttpClient* http,
                                                           const Clock& clock) {
  std::unique_ptr<KeySource> source;
  if (!settings.keys_file.empty()) {
    source = make_file_key_source(files, settings.keys_file);
  } else if (http == nullptr) {
    return Error(ErrorCode::invalid_argument, "issuer \"" + settings.issuer + "\": its keys are not on this machine");
  } else if (!settings.keys_url.empty()) {
    source = make_url_key_source(*http, settings.keys_url);
  } else {
    source = make_discovery_key_source(*http, settings.issuer);
  }
  return std::make_unique<ForeignIssuer>(std::move(settings), std::move(source), clock);
}

}  // namespace dendro
