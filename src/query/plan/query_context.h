#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "query/plan/query_engine.h"

namespace dendro {

/// Why work stopped before its input ended.
enum class StopReason : std::uint8_t { none, timeout, memory, cancelled, error };

/// What the operators of one run share: time, memory, counters, what must be said at the end. The flag that stops a
/// scan may be set by any thread; the rest belongs to the thread that pulls.
class QueryContext {
 public:
  QueryContext(const QueryRunOptions& options, const Clock& clock, std::chrono::nanoseconds timeout)
      : limits(options.limits),
        clock_(clock),
        caller_(options.cancel),
        started_(clock.monotonic()),
        deadline_(started_ + timeout) {}

  const QueryLimits limits;
  std::uint64_t matched = 0;
  std::vector<QueryWarning> warnings;
  std::set<std::string> approximate;
  std::optional<Error> error;  ///< the first one

  /// Looks at the caller and the clock; true if work must end now.
  bool should_stop() {
    if (stop_ != StopReason::none) return true;
    if (caller_.cancelled()) return stop(StopReason::cancelled);
    if (clock_.monotonic() >= deadline_) return stop(StopReason::timeout);
    return false;
  }
  /// Keeps the first reason. Always true.
  bool stop(StopReason reason) {
    if (stop_ == StopReason::none) stop_ = reason;
    scan_cancel_.cancel();
    return true;
  }
  StopReason stop_reason() const { return stop_; }
  bool is_stopped() const { return stop_ != StopReason::none; }

  /// Counts memory that operators keep. False, and stopped, if it is too much.
  bool charge(std::uint64_t bytes) {
    memory_bytes_ += bytes;
    if (memory_bytes_ <= limits.memory_bytes_max && take_shared_memory()) return true;
    stop(StopReason::memory);
    return false;
  }
  void release(std::uint64_t bytes) { memory_bytes_ -= std::min(bytes, memory_bytes_); }

  void note_error(const Error& failure) {
    if (!error) error = failure;
  }
  void warn_once(QueryWarning warning);

  /// Handed to scans: ends them when the caller leaves or time is up.
  CancelToken scan_cancel() const { return scan_cancel_; }
  std::chrono::nanoseconds deadline() const { return deadline_; }
  std::chrono::nanoseconds elapsed() const { return clock_.monotonic() - started_; }
  std::chrono::nanoseconds now() const { return clock_.monotonic(); }

 private:
  /// In steps, so that queries do not fight over one counter for every row.
  bool take_shared_memory() {
    constexpr std::uint64_t kStepBytes = std::uint64_t{1} << 20;
    return limits.shared_memory == nullptr || shared_memory_.grow_to((memory_bytes_ / kStepBytes + 1) * kStepBytes);
  }

  const Clock& clock_;
  CancelToken caller_;
  CancelToken scan_cancel_;
  const std::chrono::nanoseconds started_;
  const std::chrono::nanoseconds deadline_;
  StopReason stop_ = StopReason::none;
  std::uint64_t memory_bytes_ = 0;
  ByteLease shared_memory_{limits.shared_memory};
};

}  // namespace dendro
