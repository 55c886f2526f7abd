#include "identity/store_authenticator.h"

#include <algorithm>

#include "identity/credential_error.h"

namespace dendro {
namespace {

bool is_same_access(const Access& left, const Access& right) {
  return left.permissions == right.permissions && left.roles == right.roles && left.row_filters == right.row_filters &&
         left.hidden_fields == right.hidden_fields && left.masked_fields == right.masked_fields;
}

bool means_the_same(const Principal& left, const Principal& right) {
  return left.id == right.id && left.token_id == right.token_id &&
         std::ranges::equal(left.grants, right.grants, [](const Grant& a, const Grant& b) {
           return a.tenant == b.tenant && is_same_access(*a.access, *b.access);
         });
}

Result<KnownCredential> of_key(Result<PrincipalPtr> principal) {
  if (!principal) return principal.error();
  KnownCredential known;
  known.key_id = (*principal)->token_id;
  known.principal = std::move(*principal);
  return known;
}

}  // namespace

std::optional<PrincipalPtr> StoreAuthenticator::known(const Credential& credential) {
  const auto found = cache_.find(digest_of(credential), generation(), parts_.clock.now(), idle_limit_ns());
  if (!found) return std::nullopt;
  note_use(*found);
  return found->principal;
}

Result<PrincipalPtr> StoreAuthenticator::authenticate(const Credential& credential) {
  const std::uint64_t before = generation();  // what changes while we look makes the entry worthless
  DENDRO_TRY_ASSIGN(KnownCredential known, judge(credential));
  known.generation = before;
  note_use(known);
  PrincipalPtr principal = known.principal;
  cache_.insert(digest_of(credential), std::move(known));
  return principal;
}

bool StoreAuthenticator::still_holds(const Credential& credential, const Principal& principal) {
  const auto found = known(credential);
  const Result<PrincipalPtr> now = found ? Result<PrincipalPtr>(*found) : authenticate(credential);
  return now && means_the_same(**now, principal);
}

std::uint64_t StoreAuthenticator::generation() {
  std::uint64_t generation = parts_.version.read();
  for (const auto& issuer : parts_.tokens.issuers()) generation += issuer->keys().generation();
  return generation;
}

Status StoreAuthenticator::write_last_uses() {
  const auto keys = key_uses_.take();
  const auto sessions = session_uses_.take();
  if (!keys.empty()) DENDRO_TRY(parts_.keys.set_last_used(keys));
  return sessions.empty() ? Status() : parts_.sessions.set_last_used(sessions);
}

Result<KnownCredential> StoreAuthenticator::judge(const Credential& credential) const {
  switch (credential.kind) {
    case Credential::Kind::secret:
      return credential.text.starts_with(ApiKeys::kPrefix) ? of_key(parts_.keys.authenticate(credential.text))
                                                           : judge_token(credential.text);
    case Credential::Kind::certificate:
      return judge_certificate(credential.text);
    case Credential::Kind::session:
      return judge_session(credential.text);
  }
  return unauthenticated();
}

Result<KnownCredential> StoreAuthenticator::judge_token(const std::string& token) const {
  DENDRO_TRY_ASSIGN(auto verified, parts_.tokens.verify(token));
  KnownCredential known;
  known.principal = std::move(verified.principal);
  return known;
}

Result<KnownCredential> StoreAuthenticator::judge_session(const std::string& secret) const {
  DENDRO_TRY_ASSIGN(LiveSession session, parts_.sessions.authenticate(secret));
  KnownCredential known;
  known.principal = std::move(session.principal);
  known.session_id = std::move(session.row.id);
  known.idle_end = Timestamp(parts_.clock.now().number() + idle_limit_ns());
  return known;
}

/// A key that names the certificate says more than a rule for many.
Result<KnownCredential> StoreAuthenticator::judge_certificate(const std::string& names) const {
  Result<KnownCredential> by_key = of_key(parts_.keys.authenticate_certificate(names));
  const bool is_of_no_key = !by_key && by_key.error().message() == kBadCredentialText;
  if (!is_of_no_key) return by_key;
  KnownCredential known;
  DENDRO_TRY_ASSIGN(known.principal, parts_.certificates.authenticate(names));
  return known;
}

std::int64_t StoreAuthenticator::idle_limit_ns() const {
  return std::chrono::nanoseconds(parts_.sessions.limits().idle).count();
}

void StoreAuthenticator::note_use(const KnownCredential& known) {
  if (!known.key_id.empty()) key_uses_.note(known.key_id, parts_.clock.now());
  if (!known.session_id.empty()) session_uses_.note(known.session_id, parts_.clock.now());
}

}  // namespace dendro
