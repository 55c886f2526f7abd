#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "meta/meta_database.h"

namespace dendro {

/// One label set of a rule, between two evaluations.
struct AlertInstanceRow {
  std::string labels;  ///< JSON object, its names sorted
  std::string state;
  std::string value;
  Timestamp active_since, fired, resolved;
  Timestamp told;  ///< when receivers were told last that it fires; 0: they think it does not
};
/// A value of the field that a rule watches.
struct AlertSeenRow {
  std::string value;
  Timestamp first;  ///< 0: it was known when the rule began
  Timestamp last;
};
struct AlertHistoryRow {
  std::int64_t number = 0;
  Timestamp at;
  std::string labels, before, after, value, note;
};

/// What is known of a rule.
struct AlertRuleState {
  Timestamp evaluated;  ///< the moment it was asked about last; 0: never
  std::string problem;  ///< of that evaluation; empty: it worked
  Timestamp seeded;     ///< when the values known before were read; 0: not yet
  std::string asked;    ///< what values are known of: a text that changes with it
  std::vector<AlertInstanceRow> instances;
};

/// What an evaluation leaves behind.
struct AlertOutboxRow {
  std::int64_t number = 0;
  std::string receiver, dedupe_key, document;
};
/// One alert of a message.
struct AlertHeldRow {
  std::string fingerprint, document;
};
/// A message about alerts to several receivers, counted once.
struct AlertDispatch {
  std::vector<std::string> receivers;
  std::string dedupe_key, document;
  std::vector<AlertHeldRow> held;  ///< its alerts, kept for the digest where the hour is full
};
struct AlertCommit {
  TenantId tenant = TenantId::default_tenant();
  std::string rule;
  AlertRuleState state;
  bool forgets_seen = false;       ///< what was known counts no more: of another question, or of another time
  std::vector<AlertSeenRow> seen;  ///< new ones, and known ones seen again
  std::vector<AlertHistoryRow> history;
  std::vector<AlertDispatch> dispatches;
  Timestamp now;
};
struct AlertHeld {
  TenantId tenant = TenantId::default_tenant();
  std::string receiver;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> documents;  ///< one an alert, the oldest first
};

/// States of alert rules and what is to be told about them. Thread-safe; every call may wait for the disk.
///
/// At least once: `commit` writes the states an evaluation leads to, their history and the messages about them (the
/// outbox) in one transaction, so there is no state that nobody is told of and no message without its state. The
/// outbox's messages go to a durable queue first and leave the outbox then: a crash in between sends them again, with
/// the same dedupe key.
class AlertStateTable {
 public:
  static constexpr std::int64_t kPerHourMax = 20;     ///< dispatches of a tenant in an hour of the clock
  static constexpr std::size_t kHistoryMax = 10'000;  ///< of a rule
  static constexpr std::chrono::hours kHistoryAge{24 * 90};
  static constexpr std::size_t kSeenMax = 10'000;    ///< values of a rule
  static constexpr std::int64_t kPostedMax = 1'000;  ///< messages that may wait where a test call adds one

  explicit AlertStateTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  Result<AlertRuleState> load(const TenantId& tenant, const std::string& rule) const;
  Result<std::vector<AlertSeenRow>> seen(const TenantId& tenant, const std::string& rule) const;
  /// Values last seen before `oldest` are forgotten with it. What became of the dispatches: true, in the outbox; false,
  /// held for the digest.
  Result<std::vector<bool>> commit(const AlertCommit& commit, Timestamp oldest_seen);
  /// The newest first, before `before` (0: from the newest).
  Result<std::vector<AlertHistoryRow>> history(const TenantId& tenant, const std::string& rule, std::int64_t before,
                                               std::size_t count_max) const;
  /// Everything about a rule that is no more.
  Status forget(const TenantId& tenant, const std::string& rule);

  /// The oldest first.
  Result<std::vector<AlertOutboxRow>> outbox(std::size_t count_max) const;
  Status remove_from_outbox(std::int64_t through_number);
  /// Puts a message into the outbox by itself (a test call). Errors: resource_exhausted (kPostedMax wait already).
  Status post(const AlertOutboxRow& row);

  /// What was held in other hours than that of `now`, by tenant and receiver. Of an alert that was held several times
  /// the last word is there alone. A clock that stepped back must not keep anything for as long as it stepped.
  Result<std::vector<AlertHeld>> held_outside(Timestamp now) const;
  /// Puts digests into the outbox in exchange for what they tell.
  Status commit_digests(const AlertHeld& held, const std::vector<AlertOutboxRow>& digests);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
