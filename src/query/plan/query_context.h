#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "query/plan/query_engine.h"
#include "query/plan/query_profile.h"
#include "query/spill/spill_file.h"

namespace dendro {

/// Why work stopped before its input ended.
enum class StopReason : std::uint8_t { none, timeout, memory, cancelled, interrupted, error };

/// What the operators of one run share: time, memory, counters, what must be said at the end. The flag that stops a
/// scan may be set by any thread; the rest belongs to the thread that pulls.
class QueryContext {
 public:
  QueryContext(const QueryRunOptions& options, const Clock& clock, std::chrono::nanoseconds timeout)
      : limits(options.limits),
        spill(options.limits.spill, options.limits.spill_bytes_max),
        clock_(clock),
        caller_(options.cancel),
        interrupt_(options.interrupt),
        started_(clock.monotonic()),
        deadline_(started_ + timeout) {}

  const QueryLimits limits;
  SpillSpace spill;
  std::uint64_t matched = 0;
  std::vector<QueryWarning> warnings;
  std::set<std::string> approximate;
  std::optional<Error> error;             ///< the first one
  std::shared_ptr<QueryProfile> profile;  ///< null: nobody asked

  /// Looks at the caller and the clock; true if work must end now.
  bool should_stop() {
    if (stop_ != StopReason::none) return true;
    if (caller_.cancelled()) return stop(StopReason::cancelled);
    if (interrupt_.cancelled()) return stop(StopReason::interrupted);
    if (clock_.monotonic() >= deadline_) return stop(StopReason::timeout);
    return false;
  }
  /// True once the caller has left: nobody waits for rows any more, so nothing need come out. Cheap: an operator looks
  /// at least once in about 10 ms of work.
  bool is_cancelled() {
    if (caller_.cancelled()) stop(StopReason::cancelled);
    return stop_ == StopReason::cancelled;
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
    if (take(bytes)) return true;
    stop(StopReason::memory);
    return false;
  }
  /// The same without stopping: false if it is more than there is; counted all the same, so release() it or stop.
  bool take(std::uint64_t bytes) {
    memory_bytes_ += bytes;
    if (memory_bytes_ > limits.memory_bytes_max) return false;
    is_shared_full_ = !take_shared_memory();
    return !is_shared_full_;
  }
  void release(std::uint64_t bytes) {
    memory_bytes_ -= std::min(bytes, memory_bytes_);
    is_shared_full_ = false;
  }
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  /// An operator that keeps `own_bytes` should put them into files now: half of the memory is taken, so that what
  /// cannot be put away has the rest, and there is enough of its own to be worth a file.
  bool should_spill(std::uint64_t own_bytes) const {
    if (!spill.is_there() || own_bytes == 0) return false;
    const std::uint64_t above = limits.spill_above_bytes != 0 ? limits.spill_above_bytes : limits.memory_bytes_max / 2;
    return (is_shared_full_ || memory_bytes_ > above) && own_bytes >= std::min(above / 8, kSpillBytesMin);
  }
  /// The same where take() has just said no: less is worth a file then.
  bool may_spill(std::uint64_t own_bytes) const {
    return spill.is_there() && own_bytes > 0 && own_bytes >= std::min(limits.memory_bytes_max / 16, kStarvedBytesMin);
  }

  void note_error(const Error& failure) {
    if (!error) error = failure;
  }
  void warn_once(QueryWarning warning);

  /// Handed to scans: ends them when the caller leaves or time is up.
  CancelToken scan_cancel() const { return scan_cancel_; }
  CancelToken interrupt() const { return interrupt_; }
  std::chrono::nanoseconds deadline() const { return deadline_; }
  std::chrono::nanoseconds elapsed() const { return clock_.monotonic() - started_; }
  std::chrono::nanoseconds now() const { return clock_.monotonic(); }

 private:
  static constexpr std::uint64_t kSpillBytesMin = std::uint64_t{8} << 20;
  static constexpr std::uint64_t kStarvedBytesMin = std::uint64_t{64} << 10;
  /// In steps, so that queries do not fight over one counter for every row.
  bool take_shared_memory() {
    constexpr std::uint64_t kStepBytes = std::uint64_t{1} << 20;
    return limits.shared_memory == nullptr || shared_memory_.grow_to((memory_bytes_ / kStepBytes + 1) * kStepBytes);
  }

  const Clock& clock_;
  CancelToken caller_;
  CancelToken interrupt_;
  CancelToken scan_cancel_;
  const std::chrono::nanoseconds started_;
  const std::chrono::nanoseconds deadline_;
  StopReason stop_ = StopReason::none;
  std::uint64_t memory_bytes_ = 0;
  bool is_shared_full_ = false;
  ByteLease shared_memory_{limits.shared_memory};
};

}  // namespace dendro
