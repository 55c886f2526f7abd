#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/timestamp.h"
#include "services/alerts/alert_rule.h"

namespace dendro {

enum class AlertState : std::uint8_t { inactive, pending, firing, resolved };
/// "pending".
std::string_view alert_state_name(AlertState state);
/// inactive for a name that is none.
AlertState parse_alert_state(std::string_view name);

/// One label set that is active now, with the number that makes it so.
struct AlertObservation {
  AlertLabels labels;
  std::string value;
};

/// What an evaluation saw.
struct AlertReading {
  std::vector<AlertObservation> active;
  /// Empty: every record of the range was looked at. Otherwise why not: what is active here is, but what is not may be.
  std::string problem;
  /// False: nothing was seen at all, `active` says nothing.
  bool is_answer = true;
};

/// One label set of a rule, between two evaluations.
struct AlertInstance {
  AlertLabels labels;
  AlertState state = AlertState::inactive;
  std::string value;
  Timestamp active_since, fired, resolved;
  Timestamp told;  ///< when receivers were told last that it fires; 0: they think it does not
};

struct AlertChange {
  AlertLabels labels;
  AlertState before = AlertState::inactive, after = AlertState::inactive;
  std::string value;
};

struct AlertStep {
  std::vector<AlertInstance> instances;  ///< all that are not inactive
  std::vector<AlertChange> changes;
};

// States of one label set of a rule. An evaluation moves it, nothing else:
//   inactive  active                  -> pending, and at once firing if the rule waits for nothing
//   pending   active for `for`        -> firing
//             not active              -> inactive
//   firing    not active              -> resolved
//   resolved  active                  -> pending, as above
//             kAlertResolvedShown old -> inactive
// "Not active" takes an answer that was complete: after an evaluation that failed nothing moves, after one that was cut
// off only towards firing. Either is itself active for the label set {alert_problem}, which fires after `for`, two
// evaluations at least.

/// Pure: the same arguments give the same step. `at`: the moment the evaluation is about, later than the one before
/// unless the clock stepped back.
AlertStep step_alerts(const AlertRule& rule, const std::vector<AlertInstance>& before, const AlertReading& reading,
                      Timestamp at);

}  // namespace dendro
