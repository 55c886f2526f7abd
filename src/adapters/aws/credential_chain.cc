#include "adapters/aws/credential_chain.h"

#include "base/log.h"

namespace dendro {
namespace {

/// A pair that ends sooner is no use for a request that takes its time.
constexpr std::chrono::seconds kCredentialUsableMin{15};
/// After a renewal that failed while the old pair still serves.
constexpr std::chrono::seconds kCredentialRetryAfter{30};

struct CredentialSourceRow {
  std::string_view name;
  FoundCredentials (*fetch)(const CredentialSourceParts& parts);
};
constexpr CredentialSourceRow kCredentialSources[] = {{"environment", &environment_credentials},
                                                      {"web identity", &web_identity_credentials},
                                                      {"profile", &profile_credentials},
                                                      {"container", &container_credentials},
                                                      {"instance metadata", &instance_credentials}};

class CredentialChain final : public CredentialProvider {
 public:
  explicit CredentialChain(CredentialSourceParts parts) : parts_(std::move(parts)) {}

  Result<AwsCredentials> get() override {
    {
      MutexLock lock(mutex_);
      while (true) {
        const Timestamp now = parts_.clock.now();
        if (current_ && lasts_until(now, kCredentialRenewBefore)) return *current_;
        const bool may_wait = current_ && lasts_until(now, kCredentialUsableMin);
        if (may_wait && (is_renewing_ || now < try_again_)) return *current_;
        if (!is_renewing_) break;
        renewed_.wait(mutex_);
      }
      is_renewing_ = true;
    }
    Result<AwsCredentials> fetched = fetch();
    MutexLock lock(mutex_);
    is_renewing_ = false;
    renewed_.notify_all();
    if (fetched) {
      current_ = *fetched;
      try_again_ = Timestamp();
      return fetched;
    }
    if (!current_ || !lasts_until(parts_.clock.now(), kCredentialUsableMin)) return fetched;
    try_again_ = parts_.clock.now().next(std::chrono::nanoseconds(kCredentialRetryAfter).count());
    log(LogLevel::warning, "aws", "credentials could not be renewed; the old ones serve until they end",
        {{"reason", fetched.error().message()}});
    return *current_;
  }

  void forget(const std::string& access_key_id) override {
    MutexLock lock(mutex_);
    if (current_ && current_->access_key_id == access_key_id) current_.reset();
  }

 private:
  bool lasts_until(Timestamp now, std::chrono::nanoseconds span) const DENDRO_REQUIRES(mutex_) {
    return !current_->expires || current_->expires->number() - span.count() > now.number();
  }

  Result<AwsCredentials> fetch() const {
    for (const CredentialSourceRow& source : kCredentialSources) {
      FoundCredentials found = source.fetch(parts_);
      if (!found) return found.error().with_context("AWS credentials: " + std::string(source.name));
      if (*found) return **std::move(found);
    }
    return Error(ErrorCode::unauthenticated,
                 "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give the "
                 "machine or container a role (in a container on EC2: metadata hop limit 2)");
  }

  const CredentialSourceParts parts_;
  Mutex mutex_;
  CondVar renewed_;
  std::optional<AwsCredentials> current_ DENDRO_GUARDED_BY(mutex_);
  bool is_renewing_ DENDRO_GUARDED_BY(mutex_) = false;
  Timestamp try_again_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<CredentialProvider> make_credential_chain(CredentialSourceParts parts) {
  return std::make_unique<CredentialChain>(std::move(parts));
}

}  // namespace dendro
