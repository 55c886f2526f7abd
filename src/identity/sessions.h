#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "identity/api_keys.h"
#include "identity/principal.h"
#include "identity/token_verifier.h"
#include "identity/users.h"
#include "meta/session_table.h"

namespace dendro {

struct SessionLimits {
  std::chrono::seconds lifetime = std::chrono::hours(12);
  std::chrono::seconds idle = std::chrono::hours(4);  ///< without a request
};
struct OpenedSession {
  SessionRow row;
  std::string secret;  ///< for the cookie: 43 characters of base64url; shown once, stored nowhere
  PrincipalPtr principal;
};
struct LiveSession {
  SessionRow row;
  PrincipalPtr principal;  ///< of its user, key or token as they are now; `token_id` is the session's id
};

/// Sign-ins of browsers: 256 random bits, stored as their SHA-256. What a session may do is asked of its user, key or
/// token each time: their end is its end. Thread-safe; every call may wait for the disk, `open_with` for key servers.
class Sessions {
 public:
  /// All outlive this.
  Sessions(MetaDatabase& database, const Users& users, const ApiKeys& keys, const OwnTokens& own_tokens,
           const TokenVerifier& tokens, SessionLimits limits, const Clock& clock, RandomSource& random)
      : table_(database),
        users_(users),
        keys_(keys),
        own_tokens_(own_tokens),
        tokens_(tokens),
        limits_(limits),
        clock_(clock),
        random_(random) {}

  /// Whoever asks has judged the password. Errors: unauthenticated (gone or disabled meanwhile), resource_exhausted.
  Result<OpenedSession> open_for_user(const std::string& user_id, const std::string& peer);
  /// With an API key, an own token or one of another issuer. One of another issuer lives on without its token, up to
  /// the session's end. Errors: unauthenticated, unavailable, resource_exhausted.
  Result<OpenedSession> open_with(const std::string& credential, const std::string& peer);

  /// Errors: unauthenticated (kExpiredTokenText: it was good once; else ended or never there).
  Result<LiveSession> authenticate(std::string_view secret) const;
  /// Sign-out; of what is no session, nothing happens.
  Status end(std::string_view secret);
  /// Errors: not_found.
  Status end_id(const std::string& id) { return table_.remove(id); }
  Result<std::vector<SessionRow>> list_of_user(const std::string& user_id) const {
    return table_.list("user", user_id);
  }
  Status set_last_used(const std::map<std::string, Timestamp>& uses) { return table_.set_last_used(uses); }

  const SessionLimits& limits() const { return limits_; }

 private:
  Result<OpenedSession> open(SessionRow row, const PrincipalPtr& principal);
  Result<PrincipalPtr> principal_of(const SessionRow& row) const;
  mutable SessionTable table_;
  const Users& users_;
  const ApiKeys& keys_;
  const OwnTokens& own_tokens_;
  const TokenVerifier& tokens_;
  const SessionLimits limits_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace dendro
