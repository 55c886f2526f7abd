#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "base/timestamp.h"

namespace dendro {

/// When keys and sessions were used last, gathered until somebody writes them down. Thread-safe, never waits.
class LastUses {
 public:
  /// Further ids are not noted until the next `take`.
  static constexpr std::size_t kIdsMax = 10'000;

  void note(const std::string& id, Timestamp at) {
    MutexLock lock(mutex_);
    if (uses_.size() < kIdsMax || uses_.contains(id)) uses_[id] = at;
  }
  std::map<std::string, Timestamp> take() {
    MutexLock lock(mutex_);
    return std::exchange(uses_, {});
  }

 private:
  Mutex mutex_;
  std::map<std::string, Timestamp> uses_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
