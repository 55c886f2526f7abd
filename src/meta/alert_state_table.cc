#include "meta/alert_state_table.h"

#include <map>

namespace dendro {
namespace {

constexpr std::int64_t kNanosPerHour = 3'600 * kNanosPerSecond;

std::int64_t hour_of(Timestamp time) {
  return time.number() / kNanosPerHour;
}

Status write_alert_state(MetaTransaction& meta, const AlertCommit& commit) {
  const std::string& tenant = commit.tenant.text();
  DENDRO_TRY(
      meta.change("INSERT OR REPLACE INTO alert_progress (tenant, rule, evaluated, problem, seeded, asked) "
                  "VALUES (?, ?, ?, ?, ?, ?)",
                  {tenant, commit.rule, commit.state.evaluated.number(), commit.state.problem,
                   commit.state.seeded.number(), commit.state.asked}));
  DENDRO_TRY(meta.change("DELETE FROM alert_instances WHERE tenant = ? AND rule = ?", {tenant, commit.rule}));
  for (const AlertInstanceRow& row : commit.state.instances) {
    DENDRO_TRY(
        meta.change("INSERT INTO alert_instances (tenant, rule, labels, state, value, active_since, fired, "
                    "resolved, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    {tenant, commit.rule, row.labels, row.state, row.value, row.active_since.number(),
                     row.fired.number(), row.resolved.number(), row.told.number()}));
  }
  return {};
}

Status write_alert_seen(MetaTransaction& meta, const AlertCommit& commit, Timestamp oldest_seen) {
  const std::string& tenant = commit.tenant.text();
  if (commit.forgets_seen) {
    DENDRO_TRY(meta.change("DELETE FROM alert_seen WHERE tenant = ? AND rule = ?", {tenant, commit.rule}));
  }
  for (const AlertSeenRow& row : commit.seen) {
    DENDRO_TRY(
        meta.change("INSERT OR REPLACE INTO alert_seen (tenant, rule, value, first, last) VALUES (?, ?, ?, ?, ?)",
                    {tenant, commit.rule, row.value, row.first.number(), row.last.number()}));
  }
  DENDRO_TRY(meta.change("DELETE FROM alert_seen WHERE tenant = ? AND rule = ? AND last < ?",
                         {tenant, commit.rule, oldest_seen.number()}));
  return {};
}

Status write_alert_history(MetaTransaction& meta, const AlertCommit& commit) {
  const std::string& tenant = commit.tenant.text();
  if (commit.history.empty()) return {};
  for (const AlertHistoryRow& row : commit.history) {
    DENDRO_TRY(
        meta.change("INSERT INTO alert_history (tenant, rule, at, labels, before, after, value, note) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    {tenant, commit.rule, row.at.number(), row.labels, row.before, row.after, row.value, row.note}));
  }
  const std::int64_t oldest = commit.now.number() - std::chrono::nanoseconds(AlertStateTable::kHistoryAge).count();
  DENDRO_TRY(meta.change("DELETE FROM alert_history WHERE at < ?", {oldest}));
  DENDRO_TRY(
      meta.change("DELETE FROM alert_history WHERE tenant = ? AND rule = ? AND number <= (SELECT number FROM "
                  "alert_history WHERE tenant = ? AND rule = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
                  {tenant, commit.rule, tenant, commit.rule, static_cast<std::int64_t>(AlertStateTable::kHistoryMax)}));
  return {};
}

/// Counts one more of this hour. False: the hour is full.
Result<bool> take_turn(MetaTransaction& meta, const AlertCommit& commit) {
  const std::int64_t hour = hour_of(commit.now);
  DENDRO_TRY_ASSIGN(const auto row,
                    meta.row("SELECT hour, notifications FROM alert_sent WHERE tenant = ?", {commit.tenant.text()}));
  const std::int64_t sent = row && row->integer(0) == hour ? row->integer(1) : 0;
  if (sent >= AlertStateTable::kPerHourMax) return false;
  DENDRO_TRY(meta.change("INSERT OR REPLACE INTO alert_sent (tenant, hour, notifications) VALUES (?, ?, ?)",
                         {commit.tenant.text(), hour, sent + 1}));
  return true;
}

Status put_into_outbox(MetaTransaction& meta, const AlertOutboxRow& row) {
  DENDRO_TRY(meta.change("INSERT INTO alert_outbox (receiver, dedupe_key, document) VALUES (?, ?, ?)",
                         {row.receiver, row.dedupe_key, row.document}));
  return {};
}

Result<bool> write_dispatch(MetaTransaction& meta, const AlertCommit& commit, const AlertDispatch& dispatch) {
  DENDRO_TRY_ASSIGN(const bool has_turn, take_turn(meta, commit));
  for (const std::string& receiver : dispatch.receivers) {
    if (has_turn) {
      DENDRO_TRY(put_into_outbox(meta, {0, receiver, dispatch.dedupe_key, dispatch.document}));
      continue;
    }
    for (const AlertHeldRow& alert : dispatch.held) {
      DENDRO_TRY(meta.change("DELETE FROM alert_held WHERE tenant = ? AND receiver = ? AND fingerprint = ?",
                             {commit.tenant.text(), receiver, alert.fingerprint}));
      DENDRO_TRY(
          meta.change("INSERT INTO alert_held (tenant, receiver, hour, fingerprint, document) VALUES (?, ?, ?, ?, ?)",
                      {commit.tenant.text(), receiver, hour_of(commit.now), alert.fingerprint, alert.document}));
    }
  }
  return has_turn;
}

}  // namespace

Result<AlertRuleState> AlertStateTable::load(const TenantId& tenant, const std::string& rule) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<AlertRuleState> {
    AlertRuleState state;
    DENDRO_TRY_ASSIGN(
        const auto progress,
        meta.row("SELECT evaluated, problem, seeded, asked FROM alert_progress WHERE tenant = ? AND rule = ?",
                 {tenant.text(), rule}));
    if (!progress) return state;
    state.evaluated = Timestamp(progress->integer(0));
    state.problem = progress->text(1);
    state.seeded = Timestamp(progress->integer(2));
    state.asked = progress->text(3);
    DENDRO_TRY_ASSIGN(const auto rows,
                      meta.rows("SELECT labels, state, value, active_since, fired, resolved, told FROM "
                                "alert_instances WHERE tenant = ? AND rule = ? ORDER BY labels",
                                {tenant.text(), rule}));
    for (const MetaRow& row : rows) {
      state.instances.push_back({row.text(0), row.text(1), row.text(2), Timestamp(row.integer(3)),
                                 Timestamp(row.integer(4)), Timestamp(row.integer(5)), Timestamp(row.integer(6))});
    }
    return state;
  });
}

Result<std::vector<AlertSeenRow>> AlertStateTable::seen(const TenantId& tenant, const std::string& rule) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<AlertSeenRow>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows("SELECT value, first, last FROM alert_seen WHERE tenant = ? AND "
                                                 "rule = ? ORDER BY value",
                                                 {tenant.text(), rule}));
    std::vector<AlertSeenRow> seen;
    for (const MetaRow& row : rows) {
      seen.push_back({row.text(0), Timestamp(row.integer(1)), Timestamp(row.integer(2))});
    }
    return seen;
  });
}

Result<std::vector<bool>> AlertStateTable::commit(const AlertCommit& commit, Timestamp oldest_seen) {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<bool>> {
    DENDRO_TRY(write_alert_state(meta, commit));
    DENDRO_TRY(write_alert_seen(meta, commit, oldest_seen));
    DENDRO_TRY(write_alert_history(meta, commit));
    std::vector<bool> in_outbox;
    for (const AlertDispatch& dispatch : commit.dispatches) {
      DENDRO_TRY_ASSIGN(const bool has_turn, write_dispatch(meta, commit, dispatch));
      in_outbox.push_back(has_turn);
    }
    return in_outbox;
  });
}

Result<std::vector<AlertHistoryRow>> AlertStateTable::history(const TenantId& tenant, const std::string& rule,
                                                              std::int64_t before, std::size_t count_max) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<AlertHistoryRow>> {
    DENDRO_TRY_ASSIGN(
        const auto rows,
        meta.rows("SELECT number, at, labels, before, after, value, note FROM alert_history WHERE tenant = ? AND "
                  "rule = ? AND (? = 0 OR number < ?) ORDER BY number DESC LIMIT ?",
                  {tenant.text(), rule, before, before, static_cast<std::int64_t>(count_max)}));
    std::vector<AlertHistoryRow> history;
    for (const MetaRow& row : rows) {
      history.push_back(
          {row.integer(0), Timestamp(row.integer(1)), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6)});
    }
    return history;
  });
}

Status AlertStateTable::forget(const TenantId& tenant, const std::string& rule) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const char* table : {"alert_progress", "alert_instances", "alert_seen", "alert_history"}) {
      DENDRO_TRY(
          meta.change("DELETE FROM " + std::string(table) + " WHERE tenant = ? AND rule = ?", {tenant.text(), rule}));
    }
    return {};
  });
}

Result<std::vector<AlertOutboxRow>> AlertStateTable::outbox(std::size_t count_max) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<AlertOutboxRow>> {
    DENDRO_TRY_ASSIGN(
        const auto rows,
        meta.rows("SELECT number, receiver, dedupe_key, document FROM alert_outbox ORDER BY number LIMIT ?",
                  {static_cast<std::int64_t>(count_max)}));
    std::vector<AlertOutboxRow> waiting;
    for (const MetaRow& row : rows) waiting.push_back({row.integer(0), row.text(1), row.text(2), row.text(3)});
    return waiting;
  });
}

Status AlertStateTable::remove_from_outbox(std::int64_t through_number) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("DELETE FROM alert_outbox WHERE number <= ?", {through_number}));
    return {};
  });
}

Status AlertStateTable::post(const AlertOutboxRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM alert_outbox"));
    if (count->integer(0) < kPostedMax) return put_into_outbox(meta, row);
    return Error(ErrorCode::resource_exhausted,
                 std::to_string(kPostedMax) + " messages about alerts wait to be delivered already; retry later");
  });
}

Result<std::vector<AlertHeld>> AlertStateTable::held_outside(Timestamp now) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<AlertHeld>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows("SELECT number, tenant, receiver, document FROM alert_held WHERE hour "
                                                 "<> ? ORDER BY number LIMIT 1000",
                                                 {hour_of(now)}));
    std::map<std::pair<std::string, std::string>, AlertHeld> by_receiver;
    for (const MetaRow& row : rows) {
      AlertHeld& held = by_receiver[{row.text(1), row.text(2)}];
      DENDRO_TRY_ASSIGN(held.tenant, TenantId::parse(row.text(1)));
      held.receiver = row.text(2);
      held.numbers.push_back(row.integer(0));
      held.documents.push_back(row.text(3));
    }
    std::vector<AlertHeld> all;
    for (auto& [key, held] : by_receiver) all.push_back(std::move(held));
    return all;
  });
}

Status AlertStateTable::commit_digests(const AlertHeld& held, const std::vector<AlertOutboxRow>& digests) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const AlertOutboxRow& digest : digests) DENDRO_TRY(put_into_outbox(meta, digest));
    // By their numbers: others of this receiver may be of the hour that runs.
    for (const std::int64_t number : held.numbers) {
      DENDRO_TRY(meta.change("DELETE FROM alert_held WHERE number = ?", {number}));
    }
    return {};
  });
}

}  // namespace dendro
