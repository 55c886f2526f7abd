#include "storage/compaction/retention_clock.h"

#include <algorithm>

namespace dendro {
namespace {

Timestamp later_by(Timestamp time, std::chrono::nanoseconds span) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(time.number(), span.count(), &sum) ? kTimestampMax : Timestamp(sum);
}

}  // namespace

RetentionClock::RetentionClock(const Clock& clock, std::optional<Timestamp> newest_received,
                               std::chrono::nanoseconds jump_max)
    : clock_(clock), jump_max_(jump_max), monotonic_at_opening_(clock.monotonic()), anchor_(clock.now()) {
  if (!newest_received) return;
  // Behind it: the clock was wrong then or is now. Far ahead of it: nobody knows.
  const bool is_explained = *newest_received <= anchor_ && anchor_ <= later_by(*newest_received, jump_max_);
  if (!is_explained) anchor_ = *newest_received;
}

Timestamp RetentionClock::now() const {
  const Timestamp wall = clock_.now();
  if (jump_max_ == std::chrono::nanoseconds(0)) return wall;
  return std::min(wall, later_by(explained(), jump_max_));
}

Timestamp RetentionClock::cautious_now() const {
  const Timestamp wall = clock_.now();
  return jump_max_ == std::chrono::nanoseconds(0) ? wall : std::min(wall, explained());
}

Timestamp RetentionClock::explained() const {
  return later_by(anchor_, clock_.monotonic() - monotonic_at_opening_);
}

std::chrono::nanoseconds RetentionClock::wall_clock_lead() const {
  std::int64_t lead_ns = 0;
  if (__builtin_sub_overflow(clock_.now().number(), now().number(), &lead_ns)) return std::chrono::nanoseconds::max();
  return std::chrono::nanoseconds(std::max<std::int64_t>(0, lead_ns));
}

}  // namespace dendro
