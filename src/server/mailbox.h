#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace dendro {

/// One value on its way from any thread to a coroutine of a loop, which may be gone when it comes. Held by shared_ptr
/// on both sides. `put` is thread-safe; the other calls are the loop thread's.
template <typename Value>
class Mailbox {
 public:
  /// The first value counts, later ones and those after `detach` are dropped. Runs the wake-up if the reader armed it.
  void put(Value value) {
    std::function<void()> wake;
    {
      MutexLock lock(mutex_);
      if (is_closed_) return;
      is_closed_ = true;
      value_.emplace(std::move(value));
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

  /// True if the value is here. Otherwise `wake` runs once when it comes, on the thread that brings it.
  bool ready_or_arm(std::function<void()> wake) {
    MutexLock lock(mutex_);
    if (value_) return true;
    wake_ = std::move(wake);
    return false;
  }
  bool is_ready() {
    MutexLock lock(mutex_);
    return value_.has_value();
  }
  std::optional<Value> take() {
    MutexLock lock(mutex_);
    return std::exchange(value_, std::nullopt);
  }
  /// Nobody waits any more.
  void detach() {
    std::function<void()> dropped;  // destroyed outside the lock: it may hold the connection
    MutexLock lock(mutex_);
    is_closed_ = true;
    dropped = std::exchange(wake_, nullptr);
  }

 private:
  Mutex mutex_;
  std::optional<Value> value_ DENDRO_GUARDED_BY(mutex_);
  std::function<void()> wake_ DENDRO_GUARDED_BY(mutex_);
  bool is_closed_ DENDRO_GUARDED_BY(mutex_) = false;
};

}  // namespace dendro
