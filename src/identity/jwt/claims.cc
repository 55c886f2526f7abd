#include "identity/jwt/claims.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "identity/credential_error.h"

namespace dendro {
namespace {

Error bad_claim(std::string_view name, std::string_view what) {
  return unauthenticated("claim " + std::string(name) + ": " + std::string(what));
}

/// Seconds since 1970, fractions allowed; what lies beyond our range is its end.
std::optional<Timestamp> numeric_date(const JsonValue& value) {
  const auto seconds = value.as_double();
  if (!seconds || !(*seconds >= 0)) return std::nullopt;
  constexpr double kSecondsMax = 9.2e9;
  if (*seconds >= kSecondsMax) return kTimestampMax;
  if (const auto whole = value.as_int()) return Timestamp(*whole * kNanosPerSecond);
  return Timestamp(static_cast<std::int64_t>(*seconds * 1e9));
}

Timestamp later_by(Timestamp time, std::chrono::seconds span) {
  const std::int64_t room = kTimestampMax.number() - time.number();
  return Timestamp(time.number() + std::min(room, std::chrono::nanoseconds(span).count()));
}

Result<std::string> text_claim(const JsonValue& claims, std::string_view name) {
  const JsonValue* const value = claims.find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return bad_claim(name, "is no text");
  return std::string(*value->as_string());
}

Result<std::optional<std::vector<std::string>>> list_claim(const JsonValue& claims, std::string_view name) {
  const JsonValue* const value = claims.find(name);
  if (value == nullptr) return std::optional<std::vector<std::string>>();
  if (!value->is_array()) return bad_claim(name, "is no list of texts");
  std::vector<std::string> list;
  for (const JsonValue& element : value->elements()) {
    if (!element.is_string()) return bad_claim(name, "is no list of texts");
    list.emplace_back(*element.as_string());
  }
  return std::optional(std::move(list));
}

/// `aud` is a text or a list of texts.
Status check_audience(const JsonValue& claims, const std::string& audience) {
  const JsonValue* const value = claims.find("aud");
  if (value == nullptr && audience.empty()) return {};
  if (value == nullptr || audience.empty() || !(value->is_string() || value->is_array())) {
    return bad_claim("aud", "is somebody else");
  }
  const bool is_ours =
      value->as_string() == audience ||
      std::ranges::any_of(value->elements(), [&](const JsonValue& element) { return element.as_string() == audience; });
  return is_ours ? Status() : bad_claim("aud", "is somebody else");
}

/// Times that must have come.
Status check_begun(const JsonValue& claims, const ClaimRules& rules) {
  for (const char* const name : {"nbf", "iat", "auth_time"}) {
    const JsonValue* const value = claims.find(name);
    if (value == nullptr) continue;
    const auto time = numeric_date(*value);
    if (!time) return bad_claim(name, "is no time");
    if (*time > later_by(rules.now, rules.skew)) return bad_claim(name, "lies ahead");
  }
  return {};
}

/// The first of the names that OpenID Connect knows. A claim that cannot be shown is none.
std::string shown_name(const JsonValue& claims) {
  constexpr std::size_t kNameBytesMax = 254;
  for (const char* const claim : {"email", "preferred_username", "name"}) {
    const JsonValue* const value = claims.find(claim);
    const std::string_view text = value == nullptr ? std::string_view() : value->as_string().value_or("");
    if (!text.empty() && text.size() <= kNameBytesMax && is_valid_utf8(text)) return std::string(text);
  }
  return {};
}

}  // namespace

Result<TokenClaims> check_claims(const JsonValue& claims, const ClaimRules& rules) {
  TokenClaims checked;
  DENDRO_TRY_ASSIGN(checked.subject, text_claim(claims, "sub"));
  if (checked.subject.empty() || count_code_points(checked.subject) > kSubjectCharactersMax) {
    return bad_claim("sub", "has not 1 to " + std::to_string(kSubjectCharactersMax) + " characters");
  }
  DENDRO_TRY_ASSIGN(checked.token_id, text_claim(claims, "jti"));
  checked.name = shown_name(claims);
  DENDRO_TRY(check_audience(claims, rules.audience));
  DENDRO_TRY_ASSIGN(checked.tenants, list_claim(claims, rules.tenants_claim));
  DENDRO_TRY_ASSIGN(checked.roles, list_claim(claims, rules.roles_claim));
  DENDRO_TRY(check_begun(claims, rules));
  const JsonValue* const expiry = claims.find("exp");
  const auto expires = expiry == nullptr ? std::nullopt : numeric_date(*expiry);
  if (!expires) return bad_claim("exp", "is no time");
  checked.expires = later_by(*expires, rules.skew);
  if (checked.expires <= rules.now) return unauthenticated(kExpiredTokenText);
  return checked;
}

}  // namespace dendro
