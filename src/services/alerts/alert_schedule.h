#pragma once

#include <cstdint>

#include "base/timestamp.h"
#include "services/alerts/alert_rule.h"

namespace dendro {

/// Evaluations of a rule lie `every` apart, at a place of their own within it (by its id), so that rules of one
/// interval do not all come at the full minute. The first one at or behind `time`.
Timestamp first_slot(const AlertRule& rule, Timestamp time);

struct AlertSlot {
  Timestamp at;
  std::uint64_t missed = 0;  ///< before it, that are not made up for
};
/// The one to evaluate next. `evaluated`: the last one, 0 if there was none; then the first one from `started` on.
/// Missed ones come one after the other, the last kAlertMissedMax of them.
AlertSlot next_slot(const AlertRule& rule, Timestamp evaluated, Timestamp started, Timestamp now);

}  // namespace dendro
