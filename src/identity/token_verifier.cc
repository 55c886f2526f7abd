#include "identity/token_verifier.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/log.h"
#include "identity/credential_error.h"
#include "identity/grant.h"

namespace dendro {
namespace {

/// What the caller may read of why a token is refused.
bool is_for_the_caller(std::string_view text) {
  return text == kUnknownTokenText || text == kRevokedTokenText || text == kExpiredTokenText;
}

std::string document_of(const ForeignIdentity& identity) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("issuer", identity.issuer);
  json.member("subject", identity.subject);
  json.member("name", identity.name);
  json.member("tenants", identity.tenants);
  json.member("roles", identity.roles);
  json.end_object();
  return text;
}

Result<ForeignIdentity> identity_of(const std::string& document) {
  DENDRO_TRY_ASSIGN(const JsonValue json, parse_json_document(document));
  ForeignIdentity identity;
  const auto list = [&json](std::string_view name) {
    std::vector<std::string> values;
    if (const JsonValue* const found = json.find(name)) {
      for (const JsonValue& element : found->elements()) values.emplace_back(element.as_string().value_or(""));
    }
    return values;
  };
  const auto text = [&json](std::string_view name) {
    const JsonValue* const found = json.find(name);
    return found == nullptr ? std::string() : std::string(found->as_string().value_or(""));
  };
  identity.issuer = text("issuer");
  identity.subject = text("subject");
  identity.name = text("name");
  identity.tenants = list("tenants");
  identity.roles = list("roles");
  identity.expires = kTimestampMax;  // the session's end counts
  return identity;
}

}  // namespace

Result<TokenVerifier::Verified> TokenVerifier::verify(std::string_view token) const {
  Result<Verified> judged = judge(token);
  if (judged || judged.error().code() != ErrorCode::unauthenticated) return judged;
  if (is_for_the_caller(judged.error().message())) return judged;
  log(LogLevel::debug, "identity", "a token was refused", {{"reason", judged.error().message()}});
  return unauthenticated();
}

Result<TokenVerifier::Verified> TokenVerifier::judge(std::string_view token) const {
  DENDRO_TRY_ASSIGN(const Jwt jwt, parse_jwt(token));
  const JsonValue* const named = jwt.claims.find("iss");
  if (named == nullptr) {
    DENDRO_TRY_ASSIGN(PrincipalPtr principal, own_.authenticate(jwt));
    return Verified{std::move(principal), {}};
  }
  ForeignIssuer* const issuer = find_issuer(named->as_string().value_or(std::string_view()));
  if (issuer == nullptr) return unauthenticated("claim iss: is no issuer that is taken");
  DENDRO_TRY_ASSIGN(const ForeignIdentity identity, issuer->check(jwt));
  DENDRO_TRY_ASSIGN(PrincipalPtr principal, principal_of(identity));
  return Verified{std::move(principal), document_of(identity)};
}

Result<PrincipalPtr> TokenVerifier::principal_of_document(const std::string& document) const {
  DENDRO_TRY_ASSIGN(ForeignIdentity identity, identity_of(document));
  const ForeignIssuer* const issuer = find_issuer(identity.issuer);
  if (issuer == nullptr) return unauthenticated();
  identity.tenants = issuer->bounded(std::move(identity.tenants));
  return principal_of(identity);
}

Result<PrincipalPtr> TokenVerifier::principal_of(const ForeignIdentity& identity) const {
  DENDRO_TRY_ASSIGN(const std::vector<Role> roles, roles_.find(identity.roles));
  auto principal = std::make_shared<Principal>();
  principal->kind = Principal::Kind::token;
  principal->id = "sub:" + identity.issuer + "|" + identity.subject;
  principal->name = identity.name.empty() ? identity.subject : identity.name;
  principal->token_id = identity.token_id;
  Result<std::vector<Grant>> grants = make_grants(identity.tenants, roles);
  if (!grants) return unauthenticated("token: " + grants.error().message());
  principal->grants = std::move(*grants);
  principal->expires = identity.expires;
  return PrincipalPtr(std::move(principal));
}

ForeignIssuer* TokenVerifier::find_issuer(std::string_view name) const {
  const auto found = std::ranges::find_if(issuers_, [&](const auto& issuer) { return issuer->name() == name; });
  return found == issuers_.end() ? nullptr : found->get();
}

}  // namespace dendro
