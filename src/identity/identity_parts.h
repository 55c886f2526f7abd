#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "identity/certificate_rules.h"
#include "identity/foreign_issuer.h"
#include "identity/oidc_sign_in.h"
#include "identity/sign_in.h"
#include "identity/sign_in_rate.h"
#include "identity/store_authenticator.h"

namespace dendro {

/// `[auth]` of the configuration.
struct IdentitySettings {
  std::string secret_key;                                    ///< signs own tokens; empty: there are none
  std::string secret_key_previous;                           ///< what it signed is still taken; may be empty
  SignatureAlgorithm algorithm = SignatureAlgorithm::hs256;  ///< of own tokens: HS256, HS384, HS512
  std::chrono::seconds token_lifetime{3'600};
  std::vector<IssuerSettings> issuers;
  OidcSettings oidc;  ///< without an issuer: nobody signs in so
  std::vector<Role> roles;
  std::vector<CertificateRule> certificates;
  bool takes_certificates = false;  ///< some listener asks clients for them
  SessionLimits sessions;
  SignInLimits sign_in;
};
/// Errors: invalid_argument (no secret of at least 32 bytes, or a well-known one). The text never holds the secret.
Status check_secret_key(const std::string& secret);

/// Everything that says who calls and what it may do, joined over one MetaDatabase. Thread-safe but for start and stop.
class IdentityParts {
 public:
  struct From {
    MetaDatabase& database;
    FileSystem& files;
    HttpClient* http;  ///< may be null: no issuer's keys come from the network
    const Clock& clock;
    RandomSource& random;
    RowFilterCheck check_row_filter;
  };
  /// All that `from` names outlives it. Asks nobody yet. Errors: invalid_argument, those of the database.
  static Result<std::unique_ptr<IdentityParts>> open(IdentitySettings settings, const From& from);
  ~IdentityParts();

  /// Starts the thread that renews keys of issuers and writes down when keys were used. Once.
  void start();
  /// Ends it and writes down what is left. A second call does nothing.
  void stop();

  Authenticator& authenticator() { return *authenticator_; }
  Roles& roles() { return *roles_; }
  ApiKeys& keys() { return *keys_; }
  OwnTokens& tokens() { return *tokens_; }
  Users& users() { return *users_; }
  Sessions& sessions() { return *sessions_; }
  SignIn& sign_in() { return *sign_in_; }
  SignInRate& sign_in_rate() { return *sign_in_rate_; }
  OidcSignIn* oidc() { return oidc_.get(); }  ///< null: there is no provider

  /// Whether callers must say who they are (five-systems.md 1.4): there is a SECRET_KEY, an issuer, an authority
  /// of client certificates, or a user or API key in the store, revoked ones too. Once true, it stays so: the last
  /// user's end must not open a server. Cheap: for loop threads.
  bool is_auth_configured();

  /// Whether there are local accounts. As cheap.
  bool has_users();

  /// One round of what the thread does. For tests.
  void renew_issuer_keys();
  Status write_last_uses() { return authenticator_->write_last_uses(); }

 private:
  IdentityParts() = default;
  void run();

  // Fixed after open.
  std::unique_ptr<IdentityVersion> version_;
  std::unique_ptr<MetaProbe> accounts_;     ///< 1: the store holds some
  std::unique_ptr<MetaProbe> users_there_;  ///< 1: some are users
  std::unique_ptr<TokenStore> token_store_;
  std::unique_ptr<Roles> roles_;
  std::unique_ptr<ApiKeys> keys_;
  std::unique_ptr<OwnTokens> tokens_;
  std::unique_ptr<TokenVerifier> verifier_;
  std::unique_ptr<PasswordHasher> hasher_;
  std::unique_ptr<Users> users_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<SignIn> sign_in_;
  std::unique_ptr<CertificateRules> certificates_;
  std::unique_ptr<SignInRate> sign_in_rate_;
  std::unique_ptr<OidcSignIn> oidc_;
  std::unique_ptr<StoreAuthenticator> authenticator_;
  std::atomic<bool> is_auth_configured_{false};

  Mutex mutex_;
  CondVar wake_;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace dendro
