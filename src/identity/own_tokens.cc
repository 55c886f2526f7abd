#include "identity/own_tokens.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "identity/credential_error.h"
#include "identity/grant.h"
#include "identity/jwt/claims.h"

namespace dendro {
namespace {

std::string claims_of(const TokenRow& row) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("jti", row.jti);
  json.member("sub", row.subject);
  json.member("tenant_ids", row.tenants);
  json.member("roles", row.roles);
  json.member("iat", row.created.number() / kNanosPerSecond);
  json.member("exp", row.expires.number() / kNanosPerSecond);
  json.end_object();
  return text;
}

}  // namespace

Status OwnTokens::check_request(const TokenRequest& request) const {
  const auto fault = [](const std::string& what) { return Error(ErrorCode::invalid_argument, what); };
  if (keys_.empty()) return fault("no token can be signed: SECRET_KEY is not set");
  DENDRO_TRY(check_tenant_names(request.tenants));
  if (request.roles.empty() || request.roles.size() > kRolesMax) {
    return fault("roles: 1 to " + std::to_string(kRolesMax) + " are taken");
  }
  DENDRO_TRY(roles_.check_known(request.roles));
  if (request.subject.empty() || !is_valid_utf8(request.subject) ||
      count_code_points(request.subject) > kSubjectCharactersMax) {
    return fault("subject: 1 to " + std::to_string(kSubjectCharactersMax) + " characters are taken");
  }
  const auto lifetime = request.lifetime.value_or(default_lifetime_);
  if (lifetime < std::chrono::seconds(1) || lifetime > kLifetimeMax) {
    return fault("lifetime: 1 s to " + std::to_string(kLifetimeMax.count() / 24) + " days are taken");
  }
  return {};
}

Result<MadeToken> OwnTokens::create(const TokenRequest& request) {
  DENDRO_TRY(check_request(request));
  const std::int64_t now_s = clock_.now().number() / kNanosPerSecond;  // tokens know whole seconds
  const auto lifetime = request.lifetime.value_or(default_lifetime_);
  MadeToken made;
  made.row = {uuid_v4(random_.bytes16()),
              request.subject,
              request.tenants,
              request.roles,
              Timestamp(now_s * kNanosPerSecond),
              Timestamp((now_s + lifetime.count()) * kNanosPerSecond),
              Timestamp(0)};
  made.jwt = make_jwt(keys_.front(), claims_of(made.row));
  if (made.jwt.size() > kJwtBytesMax) {
    return Error(ErrorCode::invalid_argument,
                 "the token would have more than " + std::to_string(kJwtBytesMax) + " bytes: name fewer tenants");
  }
  DENDRO_TRY(store_.insert(made.row));
  return made;
}

Result<PrincipalPtr> OwnTokens::authenticate(const Jwt& jwt) const {
  const bool is_signed = std::ranges::any_of(keys_, [&](const SignatureKey& key) {
    return key.algorithm() == jwt.algorithm && key.verifies(jwt.signed_part, jwt.signature);
  });
  if (!is_signed) return unauthenticated("token: not signed by this installation");
  ClaimRules rules;
  rules.now = clock_.now();
  DENDRO_TRY_ASSIGN(const TokenClaims claims, check_claims(jwt.claims, rules));
  if (claims.token_id.empty()) return unauthenticated("claim jti: is missing");
  DENDRO_TRY_ASSIGN(const PrincipalPtr stored, authenticate_id(claims.token_id));
  auto principal = std::make_shared<Principal>(*stored);
  principal->expires = std::min(*stored->expires, claims.expires);
  return PrincipalPtr(std::move(principal));
}

Result<PrincipalPtr> OwnTokens::authenticate_id(const std::string& jti) const {
  DENDRO_TRY_ASSIGN(const auto row, store_.find(jti));
  if (!row) return unauthenticated(kUnknownTokenText);
  if (row->revoked != Timestamp(0)) return unauthenticated(kRevokedTokenText);
  if (row->expires <= clock_.now()) return unauthenticated(kExpiredTokenText);
  DENDRO_TRY_ASSIGN(const std::vector<Role> roles, roles_.find(row->roles));
  auto principal = std::make_shared<Principal>();
  principal->kind = Principal::Kind::token;
  principal->id = "token:" + row->jti;
  principal->name = row->subject;
  principal->token_id = row->jti;
  DENDRO_TRY_ASSIGN(principal->grants, make_grants(row->tenants, roles));
  principal->expires = row->expires;
  return PrincipalPtr(std::move(principal));
}

}  // namespace dendro
