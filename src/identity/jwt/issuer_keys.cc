#include "identity/jwt/issuer_keys.h"

#include "base/log.h"

namespace dendro {
namespace {

Error keys_away(const std::string& issuer) {
  return Error(ErrorCode::unavailable, "the keys of " + issuer + " cannot be had; try again later");
}

}  // namespace

Result<SignatureKey> IssuerKeys::find(const std::optional<std::string>& key_id, SignatureAlgorithm algorithm) {
  MutexLock lock(mutex_);
  const std::chrono::nanoseconds now = clock_.monotonic();
  bool is_believed = is_believed_locked(now);
  const SignatureKey* key = is_believed ? keys_->find(key_id, algorithm) : nullptr;
  if (key != nullptr) return *key;
  if (is_fetching_) return keys_away(issuer_);  // whoever fetches may bring it in a moment
  if (!last_try_ || now - *last_try_ >= kUnknownKeyInterval) {
    fetch_locked(now);
    is_believed = is_believed_locked(clock_.monotonic());
    key = is_believed ? keys_->find(key_id, algorithm) : nullptr;
    if (key != nullptr) return *key;
  }
  if (!is_believed || last_try_failed_) return keys_away(issuer_);
  return Error(ErrorCode::unauthenticated, "token: " + issuer_ + " has no such key");
}

void IssuerKeys::renew_if_due() {
  MutexLock lock(mutex_);
  const std::chrono::nanoseconds now = clock_.monotonic();
  if (is_due_locked(now)) fetch_locked(now);
}

bool IssuerKeys::is_believed_locked(std::chrono::nanoseconds now) const {
  return keys_ != nullptr && now - fetched_ < max_age_ + kStaleMax;
}

bool IssuerKeys::is_due_locked(std::chrono::nanoseconds now) const {
  if (is_fetching_ || (last_try_failed_ && now - *last_try_ < kRetryInterval)) return false;
  return keys_ == nullptr || now - fetched_ >= max_age_ * 8 / 10;
}

void IssuerKeys::fetch_locked(std::chrono::nanoseconds now) {
  is_fetching_ = true;
  last_try_ = now;
  mutex_.unlock();
  Result<FetchedKeys> fetched = source_->fetch();
  Result<KeySet> keys = fetched ? KeySet::parse(fetched->text) : Result<KeySet>(fetched.error());
  mutex_.lock();
  is_fetching_ = false;
  last_try_failed_ = !keys;
  if (!keys) {
    log(LogLevel::warning, "identity", "the keys of an issuer cannot be had",
        {{"issuer", issuer_}, {"reason", keys.error().message()}});
    return;
  }
  if (keys_ != nullptr && fetched->text != text_) ++generation_;
  text_ = std::move(fetched->text);
  keys_ = std::make_shared<const KeySet>(std::move(*keys));
  fetched_ = now;
  max_age_ = fetched->max_age;
}

}  // namespace dendro
