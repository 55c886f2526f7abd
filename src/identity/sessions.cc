#include "identity/sessions.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/crypto_hash.h"
#include "base/hex.h"
#include "identity/credential_error.h"

namespace dendro {
namespace {

constexpr std::size_t kSessionIdBytes = 8;
constexpr std::size_t kSessionSecretBytes = 32;
constexpr std::size_t kSessionSecretCharacters = 43;

constexpr const char* kOfUser = "user";
constexpr const char* kOfKey = "api_key";
constexpr const char* kOfToken = "token";
constexpr const char* kOfClaims = "claims";

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> random_bytes(RandomSource& random) {
  std::array<std::uint8_t, Bytes> bytes{};
  random.fill(bytes);
  return bytes;
}

std::string make_secret(RandomSource& random) {
  const auto bytes = random_bytes<kSessionSecretBytes>(random);
  std::string secret;
  append_base64url(secret, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return secret;
}

/// With what a session adds to it.
PrincipalPtr principal_in(const SessionRow& row, const Principal& inner) {
  auto principal = std::make_shared<Principal>(inner);
  principal->token_id = row.id;
  principal->expires = std::min(row.expires, inner.expires.value_or(kTimestampMax));
  return principal;
}

}  // namespace

Result<OpenedSession> Sessions::open_for_user(const std::string& user_id, const std::string& peer) {
  DENDRO_TRY_ASSIGN(const PrincipalPtr principal, users_.authenticate_id(user_id));
  SessionRow row;
  row.kind = kOfUser;
  row.subject = user_id;
  row.peer = peer;
  return open(std::move(row), principal);
}

Result<OpenedSession> Sessions::open_with(const std::string& credential, const std::string& peer) {
  SessionRow row;
  row.peer = peer;
  if (credential.starts_with(ApiKeys::kPrefix)) {
    DENDRO_TRY_ASSIGN(const PrincipalPtr principal, keys_.authenticate(credential));
    row.kind = kOfKey;
    row.subject = principal->token_id;
    return open(std::move(row), principal);
  }
  DENDRO_TRY_ASSIGN(TokenVerifier::Verified verified, tokens_.verify(credential));
  const bool is_own = verified.document.empty();
  row.kind = is_own ? kOfToken : kOfClaims;
  row.subject = is_own ? verified.principal->token_id : verified.principal->id;
  row.document = std::move(verified.document);
  if (is_own) return open(std::move(row), verified.principal);
  auto lasting = std::make_shared<Principal>(*verified.principal);
  lasting->expires.reset();
  return open(std::move(row), lasting);
}

Result<OpenedSession> Sessions::open(SessionRow row, const PrincipalPtr& principal) {
  OpenedSession opened;
  opened.secret = make_secret(random_);
  row.id = to_hex(random_bytes<kSessionIdBytes>(random_));
  row.secret_hash = to_hex(sha256(opened.secret));
  row.created = row.last_used = clock_.now();
  row.expires = Timestamp(row.created.number() + std::chrono::nanoseconds(limits_.lifetime).count());
  DENDRO_TRY(table_.insert(row));
  opened.principal = principal_in(row, *principal);
  opened.row = std::move(row);
  return opened;
}

Result<LiveSession> Sessions::authenticate(std::string_view secret) const {
  if (secret.size() != kSessionSecretCharacters) return unauthenticated();
  DENDRO_TRY_ASSIGN(auto row, table_.find(to_hex(sha256(secret))));
  if (!row) return unauthenticated();
  const Timestamp now = clock_.now();
  const Timestamp idle_end(row->last_used.number() + std::chrono::nanoseconds(limits_.idle).count());
  if (row->expires <= now || idle_end <= now) return unauthenticated(kExpiredTokenText);
  DENDRO_TRY_ASSIGN(const PrincipalPtr inner, principal_of(*row));
  PrincipalPtr principal = principal_in(*row, *inner);
  return LiveSession{std::move(*row), std::move(principal)};
}

Result<PrincipalPtr> Sessions::principal_of(const SessionRow& row) const {
  if (row.kind == kOfUser) return users_.authenticate_id(row.subject);
  if (row.kind == kOfKey) return keys_.authenticate_id(row.subject);
  if (row.kind == kOfToken) return own_tokens_.authenticate_id(row.subject);
  DENDRO_TRY_ASSIGN(const PrincipalPtr claimed, tokens_.principal_of_document(row.document));
  auto lasting = std::make_shared<Principal>(*claimed);
  lasting->expires.reset();
  return PrincipalPtr(std::move(lasting));
}

Status Sessions::end(std::string_view secret) {
  DENDRO_TRY_ASSIGN(const auto row, table_.find(to_hex(sha256(secret))));
  if (!row) return {};
  const Status removed = table_.remove(row->id);
  if (!removed && removed.error().code() == ErrorCode::not_found) return {};
  return removed;
}

}  // namespace dendro
