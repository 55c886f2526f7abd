#include "services/alerts/alert_schedule.h"

#include "base/checksum.h"
#include "services/alerts/limits.h"

namespace dendro {

Timestamp first_slot(const AlertRule& rule, Timestamp time) {
  const std::int64_t every = std::chrono::nanoseconds(rule.every).count();
  const auto phase = static_cast<std::int64_t>(xxh3(rule.id, HashSeed(0)) % static_cast<std::uint64_t>(every));
  const std::int64_t turns = (time.number() - phase + every - 1) / every;
  return Timestamp(turns * every + phase);
}

AlertSlot next_slot(const AlertRule& rule, Timestamp evaluated, Timestamp started, Timestamp now) {
  const std::int64_t every = std::chrono::nanoseconds(rule.every).count();
  if (evaluated == Timestamp()) return {first_slot(rule, started), 0};
  // A clock that stepped back far must not stop a rule until it has caught up.
  if (evaluated.number() - now.number() > every) return {first_slot(rule, now), 0};
  const Timestamp next = first_slot(rule, evaluated.next());
  const std::int64_t waiting = (now.number() - next.number()) / every;
  if (waiting <= kAlertMissedMax) return {next, 0};
  const std::int64_t skipped = waiting - kAlertMissedMax;
  return {next.next(skipped * every), static_cast<std::uint64_t>(skipped)};
}

}  // namespace dendro
