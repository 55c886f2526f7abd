#include "services/alerts/alert_engine.h"

#include <algorithm>
#include <iterator>

#include "base/checksum.h"
#include "base/hex.h"
#include "base/log.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

constexpr std::size_t kOutboxTaken = 50;
/// What a queue takes at once is bounded, too.
constexpr std::size_t kOutboxBytesTaken = std::size_t{1} << 20;
/// Longer than a receiver may take: one call an alert, 10 s each.
constexpr std::chrono::minutes kDeliveryLease{10};
constexpr std::chrono::minutes kQueryTimeoutMax{5};

AlertInstance instance_of(const AlertInstanceRow& row) {
  AlertInstance instance;
  const auto labels = parse_labels(row.labels);
  if (labels) instance.labels = *labels;
  instance.state = parse_alert_state(row.state);
  instance.value = row.value;
  instance.active_since = row.active_since;
  instance.fired = row.fired;
  instance.resolved = row.resolved;
  instance.told = row.told;
  return instance;
}

AlertInstanceRow row_of(const AlertInstance& instance) {
  return {labels_json(instance.labels),
          std::string(alert_state_name(instance.state)),
          instance.value,
          instance.active_since,
          instance.fired,
          instance.resolved,
          instance.told};
}

/// Half the interval: the next evaluation must not find this one at work.
std::chrono::milliseconds timeout_of(const AlertRule& rule) {
  return std::min<std::chrono::milliseconds>(rule.every / 2, kQueryTimeoutMax);
}

/// What a rule for new values knows values of; with another one it begins anew.
std::string asked_key(const AlertRule& rule) {
  std::string text = rule.query;
  text.append(1, '\0').append(rule.condition.name).append(1, '\0').append(std::to_string(rule.condition.days));
  return to_hex(xxh3_128(text));
}

/// An empty key is of an earlier version, which kept none.
bool begins_anew(const AlertRule& rule, const AlertRuleState& state, Timestamp at) {
  const bool asks_other = !state.asked.empty() && state.asked != asked_key(rule);
  // A clock that stepped back may have been so far ahead that everything known was too old.
  return asks_other || state.evaluated > at;
}

std::chrono::seconds days_of(const AlertRule& rule) {
  return std::chrono::hours(24) * rule.condition.days;
}

Timestamp minus(Timestamp time, std::chrono::seconds span) {
  return Timestamp(time.number() - std::chrono::nanoseconds(span).count());
}

void add_history(const AlertRule& rule, const AlertStep& step, const std::vector<AlertSilence>& silences, Timestamp at,
                 AlertCommit& commit) {
  for (const AlertChange& change : step.changes) {
    AlertLabels labels = change.labels;
    labels.insert(rule.labels.begin(), rule.labels.end());
    const bool is_quiet = change.after == AlertState::firing && is_silenced(silences, rule.name, labels, at);
    commit.history.push_back({0, at, labels_json(change.labels), std::string(alert_state_name(change.before)),
                              std::string(alert_state_name(change.after)), change.value, is_quiet ? "silenced" : ""});
  }
}

void add_dispatches(const AlertRule& rule, const std::vector<ToldAlert>& told, Timestamp at, AlertCommit& commit) {
  if (rule.receivers.empty()) return;
  for (const AlertNotification& notification : make_notifications(rule, told, at)) {
    AlertDispatch dispatch{rule.receivers, notification.dedupe_key, notification_json(notification), {}};
    for (const ToldAlert& alert : notification.alerts) {
      dispatch.held.push_back({alert.fingerprint, told_alert_json(alert)});
    }
    commit.dispatches.push_back(std::move(dispatch));
  }
}

}  // namespace

Result<std::vector<AlertSilence>> AlertEngine::silences(const TenantId& tenant) const {
  DENDRO_TRY_ASSIGN(const auto rows, parts_.silences.list(tenant));
  std::vector<AlertSilence> silences;
  for (const AlertSilenceRow& row : rows) {
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(row.matchers));
    DENDRO_TRY_ASSIGN(std::vector<AlertMatcher> matchers, parse_matchers(document));
    silences.push_back({row.id, std::move(matchers), row.starts, row.ends, row.comment});
  }
  return silences;
}

/// A value is new for `range` behind the evaluation that saw it first. What the last days held is read once, when the
/// rule begins; from then on every evaluation says what it saw. After a pause it looks back to the one before it.
Status AlertEngine::take_new_values(const AlertRule& rule, Timestamp at, const CancelToken& cancel, AlertAnswer& answer,
                                    AlertCommit& commit) {
  std::map<std::string, AlertSeenRow> known;
  if (commit.state.seeded == Timestamp()) {
    const Timestamp before = minus(at, rule.range);
    const AlertAnswer old = ask_alert_query(rule, parts_.query, before, days_of(rule), timeout_of(rule), cancel);
    if (!old.reading.problem.empty()) {
      answer.reading.problem = "what was there before: " + old.reading.problem;
      answer.reading.is_answer = false;
      return {};
    }
    for (const std::string& value : old.values) known[value] = {value, Timestamp(), before};
    for (const auto& [value, row] : known) commit.seen.push_back(row);
    commit.state.seeded = at;
  } else {
    DENDRO_TRY_ASSIGN(const auto rows, parts_.states.seen(rule.tenant, rule.id));
    for (const AlertSeenRow& row : rows) {
      if (row.last >= minus(at, days_of(rule))) known[row.value] = row;
    }
  }
  if (!answer.reading.is_answer) return {};
  for (const std::string& value : answer.values) {
    auto [row, is_new] = known.try_emplace(value, AlertSeenRow{value, at, at});
    if (is_new && known.size() > AlertStateTable::kSeenMax) {
      answer.reading.problem =
          "the field has over " + std::to_string(AlertStateTable::kSeenMax) + " values: more than are remembered";
      return {};
    }
    row->second.last = at;
    commit.seen.push_back(row->second);
    const bool is_fresh =
        row->second.first != Timestamp() && row->second.first > minus(at, std::max(rule.range, rule.every));
    if (is_fresh) answer.reading.active.push_back({{{rule.condition.name, value}}, value});
  }
  return {};
}

Result<AlertEngine::Draft> AlertEngine::draft(const AlertRule& rule, Timestamp at, const CancelToken& cancel,
                                              Basis basis, const std::vector<AlertSilence>& silences) {
  Draft draft;
  AlertCommit& commit = draft.commit;
  commit.tenant = rule.tenant;
  commit.rule = rule.id;
  DENDRO_TRY_ASSIGN(commit.state, parts_.states.load(rule.tenant, rule.id));
  std::chrono::seconds span = rule.range;
  const bool is_new_value = rule.condition.kind == AlertCondition::Kind::new_value;
  if (is_new_value && begins_anew(rule, commit.state, at)) {
    commit.state.seeded = Timestamp();
    commit.forgets_seen = true;
  }
  if (is_new_value) commit.state.asked = asked_key(rule);
  if (is_new_value && commit.state.seeded != Timestamp()) {
    const auto pause = std::chrono::ceil<std::chrono::seconds>(
        std::chrono::nanoseconds(at.number() - commit.state.evaluated.number()));
    span = std::clamp(pause + rule.range, rule.range, std::max(rule.range, days_of(rule)));
  }
  AlertAnswer answer = ask_alert_query(rule, parts_.query, at, span, timeout_of(rule), cancel);
  if (is_new_value) DENDRO_TRY(take_new_values(rule, at, cancel, answer, commit));
  std::vector<AlertInstance> before;
  if (basis == Basis::stored) {
    for (const AlertInstanceRow& row : commit.state.instances) before.push_back(instance_of(row));
  }
  AlertStep step = step_alerts(rule, before, answer.reading, at);
  draft.outcome.problem = answer.reading.problem;
  add_history(rule, step, silences, at, commit);
  draft.outcome.told = choose_told(rule, step.instances, silences, at);
  add_dispatches(rule, draft.outcome.told, at, commit);
  commit.state.evaluated = at;
  commit.state.problem = answer.reading.problem;
  commit.state.instances.clear();
  for (const AlertInstance& instance : step.instances) commit.state.instances.push_back(row_of(instance));
  commit.now = parts_.query.clock.now();
  draft.outcome.instances = std::move(step.instances);
  return draft;
}

Result<AlertOutcome> AlertEngine::evaluate(const AlertRule& rule, Timestamp at, std::uint64_t missed,
                                           const CancelToken& cancel) {
  DENDRO_TRY_ASSIGN(const std::vector<AlertSilence> quiet, silences(rule.tenant));
  DENDRO_TRY_ASSIGN(Draft done, draft(rule, at, cancel, Basis::stored, quiet));
  // A stop of the server is no fault of the rule: the same moment is evaluated after the next start.
  if (cancel.cancelled()) return Error(ErrorCode::cancelled, "the evaluation was cancelled");
  if (missed > 0) {
    done.commit.history.insert(done.commit.history.begin(),
                               {0, at, "{}", "", "", "", std::to_string(missed) + " evaluations were missed"});
  }
  const Timestamp oldest_seen = minus(at, days_of(rule));
  const auto in_outbox = parts_.states.commit(done.commit, oldest_seen);
  if (!in_outbox) {
    ++counters_.failures;
    return in_outbox.error();
  }
  ++counters_.evaluations;
  counters_.missed += missed;
  if (!done.outcome.problem.empty()) {
    ++counters_.failures;
    log(LogLevel::warning, "alerts", "an evaluation failed or was incomplete",
        {{"tenant", rule.tenant.text()}, {"rule", rule.name}, {"reason", done.outcome.problem}});
  }
  counters_.held += static_cast<std::uint64_t>(std::count(in_outbox->begin(), in_outbox->end(), false));
  return std::move(done.outcome);
}

Result<AlertOutcome> AlertEngine::preview(const AlertRule& rule, Timestamp at, const CancelToken& cancel) {
  AlertRule at_once = rule;
  at_once.pending_for = std::chrono::seconds(0);
  DENDRO_TRY_ASSIGN(Draft done, draft(at_once, at, cancel, Basis::nothing, {}));
  return std::move(done.outcome);
}

Status AlertEngine::forward_digests() {
  const Timestamp now = parts_.query.clock.now();
  DENDRO_TRY_ASSIGN(const auto all, parts_.states.held_outside(now));
  for (const AlertHeld& held : all) {
    std::vector<ToldAlert> alerts;
    for (const std::string& document : held.documents) {
      Result<ToldAlert> alert = parse_told_alert(document);
      if (alert) {
        alerts.push_back(std::move(*alert));
      } else {  // it must not keep everything behind it
        log(LogLevel::error, "alerts", "an alert that was held cannot be read and is left out",
            {{"tenant", held.tenant.text()}, {"reason", alert.error().message()}});
      }
    }
    std::vector<AlertOutboxRow> rows;
    for (const AlertNotification& digest : make_digests(held.tenant, held.receiver, std::move(alerts), now)) {
      rows.push_back({0, held.receiver, digest.dedupe_key, notification_json(digest)});
    }
    DENDRO_TRY(parts_.states.commit_digests(held, rows));
  }
  return {};
}

/// What is in the queue already is not sent again because it could not be removed (a full disk): it would be every
/// time.
Status AlertEngine::clear_outbox() {
  if (sent_through_ == 0) return {};
  DENDRO_TRY(parts_.states.remove_from_outbox(sent_through_));
  sent_through_ = 0;
  return {};
}

Result<bool> AlertEngine::forward() {
  DENDRO_TRY(clear_outbox());
  DENDRO_TRY(forward_digests());
  DENDRO_TRY_ASSIGN(const auto rows, parts_.states.outbox(kOutboxTaken));
  if (rows.empty()) return false;
  std::vector<QueueMessage> messages;
  std::size_t bytes = 0;
  for (const AlertOutboxRow& row : rows) {
    if (!messages.empty() && bytes + row.document.size() > kOutboxBytesTaken) break;
    bytes += row.document.size();
    messages.push_back({row.document, {{"receiver", row.receiver}, {"dedupe_key", row.dedupe_key}}});
  }
  DENDRO_TRY(parts_.queue.send(messages));
  sent_through_ = rows[messages.size() - 1].number;
  DENDRO_TRY(clear_outbox());
  return true;
}

void AlertEngine::deliver_one(const ReceivedMessage& message) {
  std::string receiver_name;
  for (const auto& [name, value] : message.message.attributes) {
    if (name == "receiver") receiver_name = value;
  }
  const auto notification = parse_notification(message.message.body);
  const auto receiver = parts_.receivers.find(receiver_name);
  Status delivered;
  if (!notification) {
    delivered = notification.error();
  } else if (receiver == parts_.receivers.end()) {
    delivered = Error(ErrorCode::not_found, "no receiver of the configuration has this name");
  } else {
    delivered = receiver->second->deliver(*notification);
  }
  Result<std::size_t> noted = std::size_t{0};
  if (delivered) {
    ++counters_.deliveries;
    noted = parts_.queue.acknowledge({&message.receipt, 1});
  } else {
    ++counters_.delivery_failures;
    const std::size_t turn = std::min<std::size_t>(message.receive_count, std::size(kAlertRetryAfter)) - 1;
    const bool is_last = message.receive_count >= kQueueReceivesMax;
    log(LogLevel::warning, "alerts", is_last ? "a message about alerts was given up" : "a message about alerts failed",
        {{"receiver", receiver_name},
         {"dedupe_key", notification ? notification->dedupe_key : ""},
         {"tries", std::to_string(message.receive_count)},
         {"reason", delivered.error().message()}});
    noted = parts_.queue.extend({&message.receipt, 1}, is_last ? std::chrono::seconds(0) : kAlertRetryAfter[turn]);
  }
  if (!noted) log(LogLevel::error, "alerts", "queue", {{"reason", noted.error().message()}});
}

/// One at a time: a receive counts, and a message that nobody tried must not be nearer to its end.
Result<bool> AlertEngine::deliver() {
  DENDRO_TRY_ASSIGN(const auto messages, parts_.queue.receive(1, kDeliveryLease));
  for (const ReceivedMessage& message : messages) deliver_one(message);
  return !messages.empty();
}

}  // namespace dendro
