#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/timestamp.h"

namespace dendro {

/// Where time comes from, so that a test can own it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, UTC. May step back: never use it for ages or time-outs.
  virtual Timestamp now() const = 0;
  /// Never steps back; its zero is arbitrary.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

/// The operating system's clocks.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return Timestamp(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
  }
  std::chrono::nanoseconds monotonic() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

/// Stands still until moved. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp now) : now_ns_(now.number()) {}
  Timestamp now() const override { return Timestamp(now_ns_.load()); }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::nanoseconds(monotonic_ns_.load()); }
  void advance(std::chrono::nanoseconds step) {
    now_ns_ += step.count();
    monotonic_ns_ += step.count();
  }
  void set_now(Timestamp now) { now_ns_ = now.number(); }

 private:
  std::atomic<std::int64_t> now_ns_;
  std::atomic<std::int64_t> monotonic_ns_{0};
};

}  // namespace dendro
