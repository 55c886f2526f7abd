#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "identity/jwt/key_set.h"
#include "identity/jwt/key_source.h"

namespace dendro {

/// The keys of one issuer, kept and renewed (diagnosis.md 7.2). Thread-safe.
///
/// Empty until the first fetch; fresh until max-age; then stale, still believed for kStaleMax more; then, while the
/// source is away, nobody can say whether a token is good: unavailable, not unauthenticated. `renew_if_due` is called
/// by a thread of its owner, from 80 % of max-age on. A key id that is not known fetches at once, one caller at a time
/// and once in kUnknownKeyInterval: callers with forged key ids must not keep the source, or us, busy.
class IssuerKeys {
 public:
  static constexpr std::chrono::hours kStaleMax{1};
  static constexpr std::chrono::seconds kUnknownKeyInterval{60};
  /// Between tries of the owner's thread while the source is away.
  static constexpr std::chrono::seconds kRetryInterval{10};

  /// `clock` outlives this. `issuer` is for the own log.
  IssuerKeys(std::string issuer, std::unique_ptr<KeySource> source, const Clock& clock)
      : issuer_(std::move(issuer)), source_(std::move(source)), clock_(clock) {}

  /// May wait for the source. Errors: unauthenticated (no such key), unavailable.
  Result<SignatureKey> find(const std::optional<std::string>& key_id, SignatureAlgorithm algorithm);
  /// Fetches if it is time. Waits for the source; one thread.
  void renew_if_due();
  /// Goes up when other keys were fetched: what was verified with the old ones must be again.
  std::uint64_t generation() const { return generation_.load(); }

 private:
  bool is_believed_locked(std::chrono::nanoseconds now) const DENDRO_REQUIRES(mutex_);
  bool is_due_locked(std::chrono::nanoseconds now) const DENDRO_REQUIRES(mutex_);
  /// Lets go of the mutex while it fetches, and takes it again.
  void fetch_locked(std::chrono::nanoseconds now) DENDRO_REQUIRES(mutex_);

  // Fixed after construction.
  const std::string issuer_;
  const std::unique_ptr<KeySource> source_;
  const Clock& clock_;
  std::atomic<std::uint64_t> generation_{0};
  Mutex mutex_;
  std::shared_ptr<const KeySet> keys_ DENDRO_GUARDED_BY(mutex_);
  std::string text_ DENDRO_GUARDED_BY(mutex_);  ///< that `keys_` were read from
  std::chrono::nanoseconds fetched_ DENDRO_GUARDED_BY(mutex_){0};
  std::chrono::seconds max_age_ DENDRO_GUARDED_BY(mutex_){0};
  bool is_fetching_ DENDRO_GUARDED_BY(mutex_) = false;
  std::optional<std::chrono::nanoseconds> last_try_ DENDRO_GUARDED_BY(mutex_);
  bool last_try_failed_ DENDRO_GUARDED_BY(mutex_) = false;
};

}  // namespace dendro
