#pragma once

#include "base/clock.h"
#include "identity/api_keys.h"
#include "identity/authenticator.h"
#include "identity/certificate_rules.h"
#include "identity/credential_cache.h"
#include "identity/identity_version.h"
#include "identity/last_uses.h"
#include "identity/sessions.h"
#include "identity/token_verifier.h"

namespace dendro {

/// The Authenticator over keys, tokens, users and sessions of the store. Thread-safe.
class StoreAuthenticator final : public Authenticator {
 public:
  static constexpr std::size_t kCacheEntriesMax = 10'000;

  struct Parts {
    const Clock& clock;
    IdentityVersion& version;
    ApiKeys& keys;
    const TokenVerifier& tokens;
    Sessions& sessions;
    const CertificateRules& certificates;
  };
  /// The parts outlive this.
  explicit StoreAuthenticator(const Parts& parts) : parts_(parts), cache_(kCacheEntriesMax) {}

  std::optional<PrincipalPtr> known(const Credential& credential) override;
  Result<PrincipalPtr> authenticate(const Credential& credential) override;
  bool still_holds(const Credential& credential, const Principal& principal) override;
  std::uint64_t generation() override;

  /// Writes down what was used since the last call. May wait for the disk; for a thread of the owner.
  Status write_last_uses();

 private:
  Result<KnownCredential> judge(const Credential& credential) const;
  Result<KnownCredential> judge_token(const std::string& token) const;
  Result<KnownCredential> judge_session(const std::string& secret) const;
  Result<KnownCredential> judge_certificate(const std::string& names) const;
  std::int64_t idle_limit_ns() const;
  void note_use(const KnownCredential& known);
  const Parts parts_;
  CredentialCache cache_;
  LastUses key_uses_, session_uses_;
};

}  // namespace dendro
