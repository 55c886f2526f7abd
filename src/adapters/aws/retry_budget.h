#pragma once

#include <algorithm>

#include "base/mutex.h"

namespace dendro {

/// How many repetitions a client may still make: a service that is down is not asked many times as often as one that
/// is up. Each success earns a little back. Thread-safe.
/// Source of the numbers: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode.
class RetryBudget {
 public:
  static constexpr int kTokensMax = 500;
  static constexpr int kRetryCost = 5;
  static constexpr int kTimeoutCost = 10;

  bool take(int tokens) {
    MutexLock lock(mutex_);
    if (tokens_ < tokens) return false;
    tokens_ -= tokens;
    return true;
  }
  void give(int tokens) {
    MutexLock lock(mutex_);
    tokens_ = std::min(tokens_ + tokens, kTokensMax);
  }

 private:
  Mutex mutex_;
  int tokens_ DENDRO_GUARDED_BY(mutex_) = kTokensMax;
};

}  // namespace dendro
