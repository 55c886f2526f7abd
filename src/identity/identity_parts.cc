#include "identity/identity_parts.h"

#include "base/log.h"

namespace dendro {
namespace {

/// How often it is looked whether an issuer's keys are due, and how often uses are written down.
constexpr std::chrono::seconds kKeyCheckInterval{1};
constexpr std::chrono::seconds kUseWriteInterval{60};

constexpr std::string_view kAccountsQuery = "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM api_keys)";
constexpr std::string_view kUsersQuery = "SELECT EXISTS (SELECT 1 FROM users)";
/// The example of a project whose tokens are taken here: everybody knows it.
constexpr std::string_view kWellKnownSecret = "dev_secret_key_change_in_production";

/// `admin` stays what it is: a typing error there would lock everybody out, or let everybody in.
Status check_settings_roles(const IdentitySettings& settings, const RowFilterCheck& check_filter) {
  for (const Role& role : settings.roles) {
    DENDRO_TRY(check_role(role, check_filter));
    if (role.name == "admin") return Error(ErrorCode::invalid_argument, "role \"admin\" cannot be changed");
  }
  return {};
}

/// Its ID tokens are tokens of an issuer like any other.
Status add_oidc_issuer(IdentitySettings& settings) {
  for (const IssuerSettings& issuer : settings.issuers) {
    if (issuer.issuer != settings.oidc.tokens.issuer) continue;
    return Error(ErrorCode::invalid_argument,
                 "auth.oidc.issuer: it is in [[auth.issuers]] too; one of the two says how its tokens are judged");
  }
  settings.issuers.push_back(settings.oidc.tokens);
  return {};
}

Result<std::vector<SignatureKey>> keys_of(const IdentitySettings& settings) {
  std::vector<SignatureKey> keys;
  for (const std::string* const secret : {&settings.secret_key, &settings.secret_key_previous}) {
    if (secret->empty()) continue;
    DENDRO_TRY(check_secret_key(*secret));
    DENDRO_TRY_ASSIGN(SignatureKey key, SignatureKey::from_secret(settings.algorithm, *secret));
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

Status check_secret_key(const std::string& secret) {
  if (secret == kWellKnownSecret) {
    return Error(ErrorCode::invalid_argument,
                 "SECRET_KEY: this one stands in an example, so everybody knows it; make one with "
                 "`openssl rand -base64 48`");
  }
  if (secret.size() >= SignatureKey::kSecretBytesMin) return {};
  return Error(ErrorCode::invalid_argument, "SECRET_KEY: has " + std::to_string(secret.size()) + " bytes, at least " +
                                                std::to_string(SignatureKey::kSecretBytesMin) +
                                                " are needed; make one with `openssl rand -base64 48`");
}

Result<std::unique_ptr<IdentityParts>> IdentityParts::open(IdentitySettings settings, const From& from) {
  std::unique_ptr<IdentityParts> parts(new IdentityParts());
  DENDRO_TRY_ASSIGN(parts->version_, IdentityVersion::open(from.database));
  DENDRO_TRY_ASSIGN(parts->accounts_, MetaProbe::open(from.database.path(), kAccountsQuery));
  DENDRO_TRY_ASSIGN(parts->users_there_, MetaProbe::open(from.database.path(), kUsersQuery));
  DENDRO_TRY_ASSIGN(std::vector<SignatureKey> signing_keys, keys_of(settings));
  DENDRO_TRY(check_settings_roles(settings, from.check_row_filter));
  DENDRO_TRY(check_oidc_settings(settings.oidc));
  const bool has_oidc = !settings.oidc.tokens.issuer.empty();
  if (has_oidc) DENDRO_TRY(add_oidc_issuer(settings));
  parts->is_auth_configured_ = !signing_keys.empty() || !settings.issuers.empty() || settings.takes_certificates;
  parts->token_store_ = make_meta_token_store(from.database);
  parts->roles_ = std::make_unique<Roles>(from.database, from.clock, from.check_row_filter, std::move(settings.roles));
  parts->keys_ = std::make_unique<ApiKeys>(from.database, *parts->roles_, from.clock, from.random);
  parts->tokens_ = std::make_unique<OwnTokens>(*parts->token_store_, *parts->roles_, std::move(signing_keys),
                                               settings.token_lifetime, from.clock, from.random);
  std::vector<std::unique_ptr<ForeignIssuer>> issuers;
  for (IssuerSettings& issuer : settings.issuers) {
    DENDRO_TRY_ASSIGN(auto made, make_foreign_issuer(std::move(issuer), from.files, from.http, from.clock));
    issuers.push_back(std::move(made));
  }
  parts->verifier_ = std::make_unique<TokenVerifier>(*parts->tokens_, *parts->roles_, std::move(issuers));
  parts->hasher_ = std::make_unique<PasswordHasher>(settings.sign_in.hashes_at_once_max);
  parts->users_ = std::make_unique<Users>(from.database, *parts->roles_, *parts->hasher_, from.clock, from.random);
  parts->sessions_ = std::make_unique<Sessions>(from.database, *parts->users_, *parts->keys_, *parts->tokens_,
                                                *parts->verifier_, settings.sessions, from.clock, from.random);
  parts->sign_in_ =
      std::make_unique<SignIn>(from.database, *parts->sessions_, *parts->hasher_, settings.sign_in, from.clock);
  parts->sign_in_rate_ = std::make_unique<SignInRate>(settings.sign_in.tries_per_minute, from.clock);
  if (has_oidc) {
    parts->oidc_ =
        std::make_unique<OidcSignIn>(std::move(settings.oidc), *from.http, *parts->sessions_, from.clock, from.random);
  }
  parts->certificates_ = std::make_unique<CertificateRules>(std::move(settings.certificates), *parts->roles_);
  parts->authenticator_ = std::make_unique<StoreAuthenticator>(StoreAuthenticator::Parts{
      from.clock, *parts->version_, *parts->keys_, *parts->verifier_, *parts->sessions_, *parts->certificates_});
  return parts;
}

IdentityParts::~IdentityParts() {
  stop();
}

void IdentityParts::start() {
  thread_ = std::jthread([this] { run(); });
}

void IdentityParts::stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void IdentityParts::run() {
  const bool has_issuers = !verifier_->issuers().empty();
  auto last_write = std::chrono::steady_clock::now();
  for (bool is_last = false; !is_last;) {
    renew_issuer_keys();
    {
      MutexLock lock(mutex_);
      if (!is_stopping_) (void)wake_.wait_for(mutex_, has_issuers ? kKeyCheckInterval : kUseWriteInterval);
      is_last = is_stopping_;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!is_last && now - last_write < kUseWriteInterval) continue;
    last_write = now;
    if (const Status written = write_last_uses(); !written) {
      log(LogLevel::warning, "identity", "when keys were used last was not written down",
          {{"reason", written.error().message()}});
    }
  }
}

void IdentityParts::renew_issuer_keys() {
  for (const auto& issuer : verifier_->issuers()) issuer->keys().renew_if_due();
}

bool IdentityParts::is_auth_configured() {
  if (is_auth_configured_.load()) return true;
  const Result<std::int64_t> holds_some = accounts_->read();
  if (!holds_some) return true;  // not to be opened by a fault
  if (*holds_some != 0) is_auth_configured_ = true;
  return *holds_some != 0;
}

bool IdentityParts::has_users() {
  const Result<std::int64_t> holds_some = users_there_->read();
  return !holds_some || *holds_some != 0;
}

}  // namespace dendro
