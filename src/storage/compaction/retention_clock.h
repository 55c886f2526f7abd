#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace dendro {

/// The time by which retention deletes. A wall clock may jump, and what a wrong one deletes is gone: this one never
/// runs more than `jump_max` ahead of what is explained. Explained is the wall clock at opening and the monotonic time
/// since; but if the newest record was received later than that clock says, or more than `jump_max` earlier, its
/// receive time stands in for the clock at opening. Immutable; thread-safe.
class RetentionClock {
 public:
  /// @param newest_received  when the newest record of the store was received; nothing: the store holds none.
  /// @param jump_max  0: the wall clock is always believed.
  RetentionClock(const Clock& clock, std::optional<Timestamp> newest_received, std::chrono::nanoseconds jump_max);

  /// At most the wall clock's time.
  Timestamp now() const;
  /// At most what is explained, without anything on top: for ages that are shorter than jump_max.
  Timestamp cautious_now() const;
  /// How far the wall clock is ahead of now(); 0: it is believed.
  std::chrono::nanoseconds wall_clock_lead() const;

 private:
  Timestamp explained() const;

  const Clock& clock_;
  const std::chrono::nanoseconds jump_max_;
  const std::chrono::nanoseconds monotonic_at_opening_;
  Timestamp anchor_;
};

}  // namespace dendro
