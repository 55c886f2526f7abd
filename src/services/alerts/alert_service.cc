#include "services/alerts/alert_service.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "base/log.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

/// The wall clock may step, and messages come back after a while: nobody sleeps longer.
constexpr std::chrono::seconds kLongestWait{1};
/// After an evaluation that was ended from outside.
constexpr std::chrono::seconds kTryAgainAfter{1};
/// After one that could not be written: a full disk must not make rules ask more often than they do.
constexpr std::chrono::seconds kWriteAgainAfter = kAlertEveryMin;
/// While all workers are busy.
constexpr std::chrono::milliseconds kAskWorkersAgainAfter{100};
/// What goes on failing is told this often.
constexpr std::chrono::seconds kTellAgainAfter{60};

Error no_such_alert(std::string_view id) {
  return Error(ErrorCode::not_found, "no alert rule has the id \"" + std::string(id) + "\"");
}

Error is_of_configuration(const AlertRule& rule) {
  return Error(ErrorCode::permission_denied,
               "\"" + rule.name + "\" is a rule of the configuration file; change it there");
}

std::uint64_t count_firing(const std::vector<AlertInstanceRow>& rows) {
  return static_cast<std::uint64_t>(
      std::count_if(rows.begin(), rows.end(), [](const AlertInstanceRow& row) { return row.state == "firing"; }));
}

std::string state_text(const AlertRule& rule, const AlertRuleState& state) {
  if (!rule.is_enabled) return "disabled";
  if (!state.problem.empty()) return "error";
  for (const char* name : {"firing", "pending"}) {
    for (const AlertInstanceRow& row : state.instances) {
      if (row.state == name) return name;
    }
  }
  return "inactive";
}

}  // namespace

AlertService::AlertService(AlertServiceParts parts, AlertReceivers receivers)
    : parts_(std::move(parts)),
      receivers_(std::move(receivers)),
      rules_(parts_.database, parts_.clock, parts_.random),
      silences_(parts_.database, parts_.clock, parts_.random),
      states_(parts_.database),
      engine_(std::make_unique<AlertEngine>(
          AlertEngine::Parts{states_, silences_, parts_.queue, receivers_, parts_.query})),
      started_(parts_.clock.now()) {}

Result<std::unique_ptr<AlertService>> AlertService::open(AlertServiceParts parts, AlertReceivers receivers,
                                                         std::vector<AlertRule> rules) {
  std::unique_ptr<AlertService> service(new AlertService(std::move(parts), std::move(receivers)));
  DENDRO_TRY(service->load(std::move(rules)));
  return service;
}

Status AlertService::load(std::vector<AlertRule> rules) {
  for (AlertRule& rule : rules) {
    QueryFault fault;
    const Status checked = check(rule, fault);
    if (!checked) return checked.error().with_context("alert rule \"" + rule.name + "\"");
    if (find(rule.tenant, rule.id)) {
      return Error(ErrorCode::invalid_argument, "alert rule \"" + rule.name + "\": there are two of this name");
    }
    DENDRO_TRY(watch(std::move(rule)));
  }
  DENDRO_TRY_ASSIGN(const auto rows, rules_.list());
  for (const AlertRuleRow& row : rows) {
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(row.document));
    DENDRO_TRY_ASSIGN(AlertRule rule, parse_alert_rule(document));
    rule.id = row.id;
    rule.tenant = row.tenant;
    DENDRO_TRY(watch(std::move(rule)));
  }
  return {};
}

Status AlertService::check(const AlertRule& rule, QueryFault& fault) const {
  for (const std::string& name : rule.receivers) {
    if (receivers_.contains(name)) continue;
    return Error(ErrorCode::invalid_argument,
                 "receivers: the configuration has no receiver \"" + name + "\" ([[receivers]])");
  }
  return check_alert_query(rule, parts_.query, fault);
}

Status AlertService::watch(AlertRule rule) {
  DENDRO_TRY_ASSIGN(const AlertRuleState state, states_.load(rule.tenant, rule.id));
  const Timestamp now = parts_.clock.now();
  Watched watched;
  watched.slot = next_slot(rule, state.evaluated, now, now);
  watched.firing = count_firing(state.instances);
  const Key key(rule.tenant, rule.id);
  watched.rule = std::make_shared<const AlertRule>(std::move(rule));
  MutexLock lock(mutex_);
  const auto old = watched_.find(key);
  if (old != watched_.end()) {
    watched.is_at_work = old->second.is_at_work;
    watched.cancel = old->second.cancel;
    watched.turn = old->second.turn;
  }
  watched_.insert_or_assign(key, std::move(watched));
  schedule_wake_.notify_all();
  return {};
}

void AlertService::start() {
  schedule_ = std::jthread([this] { run_schedule(); });
  delivery_ = std::jthread([this] { run_delivery(); });
}

void AlertService::stop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    for (auto& [key, watched] : watched_) watched.cancel.cancel();
    schedule_wake_.notify_all();
    delivery_wake_.notify_all();
    while (at_work_ > 0) schedule_wake_.wait(mutex_);
  }
  if (schedule_.joinable()) schedule_.join();
  if (delivery_.joinable()) delivery_.join();
}

Result<std::shared_ptr<const AlertRule>> AlertService::find(const TenantId& tenant, std::string_view id) const {
  MutexLock lock(mutex_);
  const auto found = watched_.find(Key(tenant, std::string(id)));
  if (found == watched_.end() || found->second.is_removed) return no_such_alert(id);
  return found->second.rule;
}

Result<AlertRuleView> AlertService::view(const AlertRule& rule) const {
  DENDRO_TRY_ASSIGN(AlertRuleState state, states_.load(rule.tenant, rule.id));
  std::string text = state_text(rule, state);
  return AlertRuleView{rule, std::move(text), std::move(state)};
}

Result<std::vector<AlertRuleView>> AlertService::list(const TenantId& tenant) const {
  std::vector<std::shared_ptr<const AlertRule>> rules;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, watched] : watched_) {
      if (key.first == tenant && !watched.is_removed) rules.push_back(watched.rule);
    }
  }
  std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
  std::vector<AlertRuleView> views;
  for (const auto& rule : rules) {
    DENDRO_TRY_ASSIGN(AlertRuleView one, view(*rule));
    views.push_back(std::move(one));
  }
  return views;
}

Result<AlertRuleView> AlertService::get(const TenantId& tenant, std::string_view id) const {
  DENDRO_TRY_ASSIGN(const auto rule, find(tenant, id));
  return view(*rule);
}

Result<AlertRuleView> AlertService::create(AlertRule rule, QueryFault& fault) {
  DENDRO_TRY(check(rule, fault));
  MutexLock change(change_mutex_);
  DENDRO_TRY_ASSIGN(const AlertRuleRow row, rules_.create(rule.tenant, rule.name, alert_rule_json(rule)));
  rule.id = row.id;
  DENDRO_TRY(watch(rule));
  return view(rule);
}

Result<AlertRuleView> AlertService::replace(AlertRule rule, QueryFault& fault) {
  DENDRO_TRY_ASSIGN(const auto old, find(rule.tenant, rule.id));
  if (old->is_read_only) return is_of_configuration(*old);
  DENDRO_TRY(check(rule, fault));
  MutexLock change(change_mutex_);
  DENDRO_TRY(rules_.replace(rule.tenant, rule.id, rule.name, alert_rule_json(rule)));
  DENDRO_TRY(watch(rule));
  return view(rule);
}

Status AlertService::remove(const TenantId& tenant, std::string_view id) {
  DENDRO_TRY_ASSIGN(const auto rule, find(tenant, id));
  if (rule->is_read_only) return is_of_configuration(*rule);
  MutexLock change(change_mutex_);
  // The database first: a rule that it still has stays watched.
  DENDRO_TRY(rules_.remove(tenant, id));
  {
    MutexLock lock(mutex_);
    const auto found = watched_.find(Key(tenant, std::string(id)));
    if (found == watched_.end()) return {};
    found->second.is_removed = true;
    if (found->second.is_at_work) return {};  // evaluate() clears up when it ends
    watched_.erase(found);
  }
  return states_.forget(tenant, std::string(id));  // of an evaluation that ended between the two
}

Result<AlertService::TestResult> AlertService::test(const TenantId& tenant, std::string_view id, Deliver deliver,
                                                    const CancelToken& cancel) {
  DENDRO_TRY_ASSIGN(const auto rule, find(tenant, id));
  TestResult result;
  const Timestamp now = parts_.clock.now();
  DENDRO_TRY_ASSIGN(result.outcome, engine_->preview(*rule, now, cancel));
  result.receivers = rule->receivers;
  result.notifications = make_notifications(*rule, result.outcome.told, now);
  std::array<std::uint8_t, 8> random{};
  parts_.random.fill(random);
  for (AlertNotification& notification : result.notifications) {
    notification.kind = AlertNotification::Kind::test;
    notification.title = "[test] " + notification.title;
    notification.dedupe_key = "test-" + to_hex(random) + notification.dedupe_key;
    for (ToldAlert& alert : notification.alerts) alert.fingerprint = "test-" + alert.fingerprint;
  }
  if (deliver == Deliver::no) return result;
  for (const AlertNotification& notification : result.notifications) {
    for (const std::string& receiver : result.receivers) {
      DENDRO_TRY(states_.post({0, receiver, notification.dedupe_key, notification_json(notification)}));
      result.is_sent = true;
    }
  }
  wake_delivery();
  return result;
}

Result<std::vector<AlertHistoryRow>> AlertService::history(const TenantId& tenant, std::string_view id,
                                                           std::int64_t before, std::size_t count_max) const {
  DENDRO_TRY_ASSIGN(const auto rule, find(tenant, id));
  return states_.history(tenant, rule->id, before, count_max);
}

std::uint64_t AlertService::firing() const {
  std::uint64_t total = 0;
  MutexLock lock(mutex_);
  for (const auto& [key, watched] : watched_) total += watched.firing;
  return total;
}

QueueDepth AlertService::depth() const {
  MutexLock lock(mutex_);
  return depth_;
}

std::shared_ptr<void> AlertService::hold_messages() {
  MutexLock lock(mutex_);
  ++holds_;
  while (is_forwarding_) forwarded_.wait(mutex_);
  return {static_cast<void*>(this), [this](void*) { release_messages(); }};
}

void AlertService::release_messages() {
  MutexLock lock(mutex_);
  --holds_;
  has_to_deliver_ = true;
  delivery_wake_.notify_all();
}

/// Of the rules that are due the one whose last turn was longest ago; null: none.
AlertService::Watched* AlertService::next_due_locked(Timestamp now) {
  Watched* next = nullptr;
  for (auto& [key, watched] : watched_) {
    // Further ahead than a schedule reaches: the clock stepped back since it was made.
    if (watched.slot.at.number() - now.number() > 2 * std::chrono::nanoseconds(watched.rule->every).count()) {
      watched.slot = {first_slot(*watched.rule, now), 0};
    }
    if (watched.is_at_work || watched.is_removed || !watched.rule->is_enabled || watched.slot.at > now) continue;
    if (next == nullptr || watched.turn < next->turn) next = &watched;
  }
  return next;
}

/// False: the workers took no more.
bool AlertService::start_due_locked(Timestamp now) {
  while (at_work_ < kAlertsAtWorkMax && !is_stopping_) {
    Watched* const watched = next_due_locked(now);
    if (watched == nullptr) return true;
    const CancelToken cancel;
    const Status taken = parts_.workers.submit(
        [this, rule = watched->rule, slot = watched->slot, cancel] { evaluate(rule, slot, cancel); });
    if (!taken) return false;
    watched->is_at_work = true;
    watched->cancel = cancel;
    watched->turn = ++turns_;
    ++at_work_;
  }
  return true;
}

std::chrono::nanoseconds AlertService::wait_locked(Timestamp now) const {
  std::chrono::nanoseconds wait = kLongestWait;
  if (at_work_ >= kAlertsAtWorkMax) return wait;
  for (const auto& [key, watched] : watched_) {
    if (watched.is_at_work || !watched.rule->is_enabled) continue;
    wait = std::min(wait, std::max(std::chrono::nanoseconds(watched.slot.at.number() - now.number()),
                                   std::chrono::nanoseconds(std::chrono::milliseconds(10))));
  }
  return wait;
}

void AlertService::run_schedule() {
  MutexLock lock(mutex_);
  while (!is_stopping_) {
    const Timestamp now = parts_.clock.now();
    const bool has_room = start_due_locked(now);
    schedule_wake_.wait_for(mutex_, has_room ? wait_locked(now) : kAskWorkersAgainAfter);
  }
}

void AlertService::evaluate(const std::shared_ptr<const AlertRule>& rule, AlertSlot slot, const CancelToken& cancel) {
  const Result<AlertOutcome> outcome = engine_->evaluate(*rule, slot.at, slot.missed, cancel);
  const Timestamp now = parts_.clock.now();
  bool is_removed = false;
  const bool is_cancelled = !outcome && outcome.error().code() == ErrorCode::cancelled;
  if (!outcome && !is_cancelled) {
    log(LogLevel::error, "alerts", "an evaluation could not be written",
        {{"rule", rule->name}, {"reason", outcome.error().message()}});
  }
  {
    MutexLock lock(mutex_);
    const auto found = watched_.find(Key(rule->tenant, rule->id));
    is_removed = found == watched_.end() || found->second.is_removed;
    if (found != watched_.end() && is_removed) watched_.erase(found);
    if (!is_removed) {
      Watched& watched = found->second;
      watched.is_at_work = false;
      if (outcome) {
        watched.slot = next_slot(*watched.rule, slot.at, started_, now);
        watched.firing = static_cast<std::uint64_t>(
            std::count_if(outcome->instances.begin(), outcome->instances.end(),
                          [](const AlertInstance& one) { return one.state == AlertState::firing; }));
      } else {
        const std::chrono::nanoseconds wait = is_cancelled ? kTryAgainAfter : kWriteAgainAfter;
        watched.slot.at = now.next(wait.count());
      }
    }
  }
  if (is_removed) {  // what it wrote, it wrote behind the removal
    const Status forgotten = states_.forget(rule->tenant, rule->id);
    if (!forgotten) log(LogLevel::error, "alerts", "meta", {{"reason", forgotten.error().message()}});
  }
  MutexLock lock(mutex_);
  has_to_deliver_ = true;
  delivery_wake_.notify_all();
  --at_work_;  // the last look at this object where nobody else runs: stop() waits for it
  schedule_wake_.notify_all();
}

void AlertService::wake_delivery() {
  MutexLock lock(mutex_);
  has_to_deliver_ = true;
  delivery_wake_.notify_all();
}

void AlertService::run_delivery() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (!has_to_deliver_ && !is_stopping_) delivery_wake_.wait_for(mutex_, kLongestWait);
      if (is_stopping_) return;
      has_to_deliver_ = false;
    }
    const bool has_forwarded = forward_messages();
    const bool has_delivered = deliver_messages();
    const Result<QueueDepth> depth = parts_.queue.depth();
    MutexLock lock(mutex_);
    has_to_deliver_ = has_to_deliver_ || has_forwarded || has_delivered;
    if (depth) depth_ = *depth;
  }
}

bool AlertService::forward_messages() {
  {
    MutexLock lock(mutex_);
    if (holds_ > 0) return false;
    is_forwarding_ = true;
  }
  const Result<bool> forwarded = engine_->forward();
  {
    MutexLock lock(mutex_);
    is_forwarding_ = false;
    forwarded_.notify_all();
  }
  return told(forwarded);
}

bool AlertService::deliver_messages() {
  return told(engine_->deliver());
}

/// A disk that stays full fails every second: the same trouble is told once a minute.
bool AlertService::told(const Result<bool>& done) {
  if (done) return *done;
  const std::chrono::nanoseconds now = parts_.clock.monotonic();
  if (done.error().message() != trouble_ || now - trouble_told_ >= kTellAgainAfter) {
    trouble_ = done.error().message();
    trouble_told_ = now;
    log(LogLevel::error, "alerts", "messages wait", {{"reason", trouble_}});
  }
  return false;
}

}  // namespace dendro
