#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json_document.h"
#include "base/mutex.h"
#include "base/random.h"
#include "identity/foreign_issuer.h"
#include "identity/sessions.h"
#include "io/http_client.h"

namespace dendro {

/// `[auth.oidc]`: the provider that users sign in with (OpenID Connect Core 1.0, authorization code flow).
struct OidcSettings {
  IssuerSettings tokens;  ///< how its ID tokens are judged; `issuer` empty: there is none, `audience` is the client id
  std::string client_secret;  ///< empty: a public client, which PKCE protects alone
  std::string scopes = "openid profile email";
};
/// Errors: invalid_argument naming the setting.
Status check_oidc_settings(const OidcSettings& settings);

/// Sign-in by redirect: the browser goes to the provider and comes back with a code, which is exchanged for an ID token
/// here, server to server. Nothing is kept here in between: state, nonce and the PKCE verifier lie in a cookie of the
/// browser that began, so that strangers cannot fill a table, a restart loses no sign-in, and a code that somebody
/// slips into another browser finds no state there. Thread-safe; calls may wait for the provider, 10 s at most.
class OidcSignIn {
 public:
  static constexpr std::chrono::minutes kLifetime{10};  ///< from `begin` to `finish`
  static constexpr std::size_t kNextBytesMax = 1'024;
  static constexpr std::size_t kCodeBytesMax = 2'048;

  /// `http`, `sessions`, `clock`, `random` outlive this.
  OidcSignIn(OidcSettings settings, HttpClient& http, Sessions& sessions, const Clock& clock, RandomSource& random)
      : settings_(std::move(settings)), http_(http), sessions_(sessions), clock_(clock), random_(random) {}

  struct Started {
    std::string location;  ///< of the provider
    std::string memory;    ///< for the cookie: base64url
  };
  /// @param callback  where the provider sends the browser back, an absolute address.
  /// @param next      where it goes then; a path of our own.
  /// Errors: invalid_argument (`next`), unavailable (the provider).
  Result<Started> begin(const std::string& callback, const std::string& next);

  /// What the browser brings back.
  struct Answer {
    std::string memory;              ///< the cookie
    std::string state, code, error;  ///< parameters; empty: not there
    std::string issuer;              ///< `iss` (RFC 9207); empty: not there
  };
  struct Finished {
    OpenedSession session;
    std::string next;
  };
  /// Errors: unauthenticated (what came back is not what was asked for, or its token is not good; the own log says
  /// why); permission_denied (the provider refused the user); unavailable (the provider); those of Sessions::open_with.
  Result<Finished> finish(const Answer& answer, const std::string& peer);

  const std::string& issuer() const { return settings_.tokens.issuer; }

 private:
  struct Provider {
    std::string authorization_endpoint, token_endpoint;
    bool takes_basic = true;  ///< client_secret_basic, else client_secret_post
    std::chrono::nanoseconds believed_until{0};
  };
  struct Memory;
  Result<std::shared_ptr<const Provider>> provider();
  Result<std::string> exchange_code(const std::string& code, const Memory& memory);
  Status check_id_token(const std::string& token, const Memory& memory) const;
  std::string random_text();

  const OidcSettings settings_;
  HttpClient& http_;
  Sessions& sessions_;
  const Clock& clock_;
  RandomSource& random_;
  Mutex mutex_;
  std::shared_ptr<const Provider> provider_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
