#include "services/alerts/alert_evaluator.h"

#include <algorithm>

#include "services/alerts/limits.h"

namespace dendro {
namespace {

struct StateName {
  AlertState state;
  std::string_view name;
};
constexpr StateName kStateNames[] = {{AlertState::inactive, "inactive"},
                                     {AlertState::pending, "pending"},
                                     {AlertState::firing, "firing"},
                                     {AlertState::resolved, "resolved"}};

class AlertStepper {
 public:
  AlertStepper(const AlertRule& rule, const AlertReading& reading, Timestamp at)
      : rule_(rule), reading_(reading), at_(at) {}

  AlertStep run(const std::vector<AlertInstance>& before) {
    for (const AlertInstance& instance : before) instances_.emplace(instance.labels, not_ahead(instance));
    std::map<AlertLabels, const AlertObservation*> active;
    AlertObservation problem;
    if (reading_.is_answer) {
      for (const AlertObservation& one : reading_.active) active.emplace(one.labels, &one);
    }
    if (!reading_.problem.empty()) {
      problem = {problem_labels(), reading_.problem};
      active.insert_or_assign(problem.labels, &problem);
    }
    for (const auto& [labels, observation] : active) move_active(labels, *observation);
    for (auto& [labels, instance] : instances_) {
      if (!active.contains(labels)) move_inactive(instance);
    }
    for (auto& [labels, instance] : instances_) {
      if (instance.state != AlertState::inactive) step_.instances.push_back(std::move(instance));
    }
    return std::move(step_);
  }

 private:
  /// A clock that stepped back leaves times that are still to come: nobody waits for those.
  AlertInstance not_ahead(AlertInstance instance) const {
    for (Timestamp* time : {&instance.active_since, &instance.fired, &instance.resolved, &instance.told}) {
      *time = std::min(*time, at_);
    }
    return instance;
  }

  static AlertLabels problem_labels() { return {{std::string(kAlertProblemLabel), "evaluation"}}; }
  static bool is_problem(const AlertLabels& labels) { return labels.contains(std::string(kAlertProblemLabel)); }

  void move(AlertInstance& instance, AlertState after) {
    if (instance.state == after) return;
    step_.changes.push_back({instance.labels, instance.state, after, instance.value});
    instance.state = after;
  }

  std::chrono::nanoseconds wait_of(const AlertInstance& instance) const {
    return is_problem(instance.labels) ? std::max(rule_.pending_for, rule_.every) : rule_.pending_for;
  }

  void move_active(const AlertLabels& labels, const AlertObservation& observation) {
    AlertInstance& instance = instances_[labels];
    instance.labels = labels;
    instance.value = observation.value;
    if (instance.state == AlertState::inactive || instance.state == AlertState::resolved) {
      instance.active_since = at_;
      instance.fired = instance.resolved = Timestamp();
      move(instance, AlertState::pending);
    }
    if (instance.state == AlertState::pending &&
        at_.number() - instance.active_since.number() >= wait_of(instance).count()) {
      instance.fired = at_;
      move(instance, AlertState::firing);
    }
  }

  void move_inactive(AlertInstance& instance) {
    // Whether an evaluation worked is known in any case.
    if (!reading_.problem.empty() && !is_problem(instance.labels)) return;
    if (instance.state == AlertState::pending) move(instance, AlertState::inactive);
    if (instance.state == AlertState::resolved &&
        at_.number() - instance.resolved.number() >= std::chrono::nanoseconds(kAlertResolvedShown).count()) {
      instance.state = AlertState::inactive;  // known since it resolved
    }
    if (instance.state == AlertState::firing) {
      instance.resolved = at_;
      move(instance, AlertState::resolved);
    }
  }

  const AlertRule& rule_;
  const AlertReading& reading_;
  const Timestamp at_;
  std::map<AlertLabels, AlertInstance> instances_;
  AlertStep step_;
};

}  // namespace

std::string_view alert_state_name(AlertState state) {
  for (const StateName& row : kStateNames) {
    if (row.state == state) return row.name;
  }
  return "inactive";
}

AlertState parse_alert_state(std::string_view name) {
  for (const StateName& row : kStateNames) {
    if (row.name == name) return row.state;
  }
  return AlertState::inactive;
}

AlertStep step_alerts(const AlertRule& rule, const std::vector<AlertInstance>& before, const AlertReading& reading,
                      Timestamp at) {
  return AlertStepper(rule, reading, at).run(before);
}

}  // namespace dendro
