#include "identity/api_keys.h"

#include "base/crypto_compare.h"
#include "base/crypto_hash.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "identity/certificate_rules.h"
#include "identity/credential_error.h"
#include "identity/grant.h"

namespace dendro {
namespace {

constexpr std::size_t kKeyIdCharacters = 12;
constexpr std::size_t kKeySecretCharacters = 32;
constexpr std::size_t kKeyCharacters = ApiKeys::kPrefix.size() + kKeyIdCharacters + 1 + kKeySecretCharacters;

Error key_fault(const std::string& what) {
  return Error(ErrorCode::invalid_argument, what);
}

Status check_request(const ApiKeyRequest& request, Timestamp now) {
  if (request.name.empty() || request.name.size() > ApiKeys::kNameBytesMax || !is_valid_utf8(request.name)) {
    return key_fault("name: 1 to " + std::to_string(ApiKeys::kNameBytesMax) + " bytes of UTF-8 are taken");
  }
  if (request.scopes.empty() && request.roles.empty()) {
    return key_fault("scopes: name one of ingest, search, export, admin, or a role");
  }
  for (const std::string& scope : request.scopes) {
    if (!scope_permissions(scope)) {
      return key_fault("scopes: \"" + scope + "\" is none of ingest, search, export, admin");
    }
  }
  if (request.certificate.size() > ApiKeys::kCertificateBytesMax || !is_valid_utf8(request.certificate)) {
    return key_fault("certificate: at most " + std::to_string(ApiKeys::kCertificateBytesMax) +
                     " bytes of UTF-8 are taken");
  }
  if (!request.certificate.empty() && !is_certificate_name(request.certificate)) {
    return key_fault("certificate: must be KIND:NAME with a kind of " + std::string(certificate_name_kinds_text()) +
                     ", such as DNS:agent-7.example.org");
  }
  if (request.expires && *request.expires <= now) return key_fault("expires: lies in the past");
  return check_tenant_names(request.tenants);
}

}  // namespace

Result<MadeApiKey> ApiKeys::create(const ApiKeyRequest& request) {
  const Timestamp now = clock_.now();
  DENDRO_TRY(check_request(request, now));
  DENDRO_TRY(roles_.check_known(request.roles));
  const std::string secret = random_base62(random_, kKeySecretCharacters);
  MadeApiKey made;
  made.row.id = random_base62(random_, kKeyIdCharacters);
  made.row.secret_hash = to_hex(sha256(secret));
  made.row.name = request.name;
  made.row.tenants = request.tenants;
  made.row.scopes = request.scopes;
  made.row.roles = request.roles;
  made.row.certificate = request.certificate;
  made.row.created = now;
  made.row.expires = request.expires.value_or(Timestamp(0));
  const Status inserted = table_.insert(made.row);
  if (!inserted && inserted.error().code() == ErrorCode::already_exists) {
    return Error(ErrorCode::already_exists, "certificate: another key has it");
  }
  DENDRO_TRY(inserted);
  made.key = std::string(kPrefix) + made.row.id + "_" + secret;
  return made;
}

Result<PrincipalPtr> ApiKeys::authenticate(std::string_view key) const {
  if (key.size() != kKeyCharacters || !key.starts_with(kPrefix)) return unauthenticated();
  key.remove_prefix(kPrefix.size());
  if (key[kKeyIdCharacters] != '_') return unauthenticated();
  DENDRO_TRY_ASSIGN(const auto row, table_.find(std::string(key.substr(0, kKeyIdCharacters))));
  if (!row || !equals_secret(to_hex(sha256(key.substr(kKeyIdCharacters + 1))), row->secret_hash)) {
    return unauthenticated();
  }
  return principal_of(*row, Principal::Kind::api_key);
}

Result<PrincipalPtr> ApiKeys::authenticate_certificate(std::string_view names) const {
  for (const std::string_view name : split_certificate_names(names)) {
    DENDRO_TRY_ASSIGN(const auto row, table_.find_by_certificate(std::string(name)));
    if (row) return principal_of(*row, Principal::Kind::certificate);
  }
  return unauthenticated();
}

Result<PrincipalPtr> ApiKeys::authenticate_id(const std::string& id) const {
  DENDRO_TRY_ASSIGN(const auto row, table_.find(id));
  if (!row) return unauthenticated();
  return principal_of(*row, Principal::Kind::api_key);
}

Result<PrincipalPtr> ApiKeys::principal_of(const ApiKeyRow& row, Principal::Kind kind) const {
  if (row.revoked != Timestamp(0)) return unauthenticated(kRevokedTokenText);
  if (row.expires != Timestamp(0) && row.expires <= clock_.now()) return unauthenticated(kExpiredTokenText);
  DENDRO_TRY_ASSIGN(std::vector<Role> roles, roles_.find(row.roles));
  for (const std::string& scope : row.scopes) {
    Role as_role;  // without a name: it is none
    as_role.permissions = scope_permissions(scope).value_or(PermissionSet());
    roles.push_back(std::move(as_role));
  }
  auto principal = std::make_shared<Principal>();
  principal->kind = kind;
  principal->id = "key:" + row.id;
  principal->name = row.name;
  principal->token_id = row.id;
  DENDRO_TRY_ASSIGN(principal->grants, make_grants(row.tenants, roles));
  if (row.expires != Timestamp(0)) principal->expires = row.expires;
  return PrincipalPtr(std::move(principal));
}

}  // namespace dendro
