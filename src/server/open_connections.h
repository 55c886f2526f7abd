#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/mutex.h"

namespace dendro {

/// Connections open now: in all, for the bound and for the drain, and by the place they come from. Thread-safe.
class OpenConnections {
 public:
  enum class Verdict : std::uint8_t { taken, full, place_full };
  struct Bounds {
    std::size_t all_max = 0;
    std::size_t place_max = 0;
  };

  /// `place`: what client_network gave; "": counts in all only.
  Verdict try_add(const std::string& place, const Bounds& bounds) {
    MutexLock lock(mutex_);
    if (count_ >= bounds.all_max) return Verdict::full;
    if (!place.empty()) {
      std::size_t& of_place = by_place_[place];
      if (of_place >= bounds.place_max) return Verdict::place_full;
      ++of_place;
    }
    ++count_;
    return Verdict::taken;
  }
  void remove(const std::string& place) {
    MutexLock lock(mutex_);
    if (const auto found = by_place_.find(place); found != by_place_.end() && --found->second == 0) {
      by_place_.erase(found);
    }
    if (--count_ == 0) is_zero_.notify_all();
  }
  /// True once none is open; false if the time passed first.
  bool wait_for_zero(std::chrono::nanoseconds span) {
    const auto last = std::chrono::steady_clock::now() + span;
    MutexLock lock(mutex_);
    while (count_ > 0) {
      const auto rest = last - std::chrono::steady_clock::now();
      if (rest <= std::chrono::nanoseconds::zero()) return false;
      is_zero_.wait_for(mutex_, rest);
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar is_zero_;
  std::size_t count_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, std::size_t> by_place_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
