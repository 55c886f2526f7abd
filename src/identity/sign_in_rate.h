#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"

namespace dendro {

/// How many sign-ins one place may try: `per_minute` at once, and as many each minute from then on. Lock-out counts an
/// account's failures; this bounds who tries many accounts. Thread-safe, never waits.
class SignInRate {
 public:
  /// Beyond it the place unheard of longest is forgotten.
  static constexpr std::size_t kPlacesMax = 10'000;

  /// `clock` outlives this.
  SignInRate(std::size_t per_minute, const Clock& clock) : per_minute_(per_minute), clock_(clock) {}

  /// Counts a try of `place`. 0: go on; else how long to wait.
  std::chrono::seconds admit(const std::string& place);

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::nanoseconds filled{0};  ///< when `tokens` was true, of the monotonic clock
  };
  void make_room_locked() DENDRO_REQUIRES(mutex_);

  const std::size_t per_minute_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Bucket> places_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
