#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/queue.h"
#include "meta/alert_rule_table.h"
#include "meta/alert_state_table.h"
#include "services/alerts/alert_reading.h"
#include "services/alerts/alert_receiver.h"

namespace dendro {

using AlertReceivers = std::map<std::string, std::unique_ptr<AlertReceiver>, std::less<>>;

/// Since the start.
struct AlertCounters {
  std::atomic<std::uint64_t> evaluations{0}, failures{0}, missed{0};
  std::atomic<std::uint64_t> deliveries{0}, delivery_failures{0}, held{0};
};

/// What one evaluation would say, or said.
struct AlertOutcome {
  std::string problem;
  std::vector<AlertInstance> instances;
  std::vector<ToldAlert> told;  ///< silences are not asked in a preview
};

/// The work of alerting, step by step, on the calling thread; who calls when is AlertService's. Thread-safe, but one
/// rule is evaluated by one caller at a time, and `forward` and `deliver` are each one caller's.
///
/// At least once: an evaluation's states and its messages are one transaction (AlertStateTable). `forward` takes the
/// messages from there to the queue, which is durable, and only then removes them. `deliver` acknowledges a message
/// when its receiver has it. A crash between two of these steps repeats a message with its dedupe key; none is lost.
class AlertEngine {
 public:
  struct Parts {
    AlertStateTable& states;
    AlertSilenceTable& silences;
    Queue& queue;
    const AlertReceivers& receivers;
    AlertQueryParts query;
  };
  /// All of `parts` outlives this.
  explicit AlertEngine(Parts parts) : parts_(std::move(parts)) {}

  /// Evaluates the rule for the moment `at` and writes what follows. `missed`: evaluations left out before this one.
  /// What fails in the query is an outcome, too. Errors: those of the meta database, cancelled; then nothing was
  /// written.
  Result<AlertOutcome> evaluate(const AlertRule& rule, Timestamp at, std::uint64_t missed, const CancelToken& cancel);
  /// What is active at `at`, as if the rule were new and waited for nothing; leaves no trace.
  Result<AlertOutcome> preview(const AlertRule& rule, Timestamp at, const CancelToken& cancel);

  /// The silences of a tenant that matter at `at`.
  Result<std::vector<AlertSilence>> silences(const TenantId& tenant) const;

  /// Outbox to queue, and what was held in hours before as digests into the outbox. True: there was something.
  Result<bool> forward();
  /// The oldest message that is due to its receiver. True: there was one. If the receiver fails it is tried again after
  /// kAlertRetryAfter; after five times it is a dead letter.
  Result<bool> deliver();

  const AlertCounters& counters() const { return counters_; }

 private:
  struct Draft {
    AlertCommit commit;
    AlertOutcome outcome;
  };
  enum class Basis : std::uint8_t { stored, nothing };
  Result<Draft> draft(const AlertRule& rule, Timestamp at, const CancelToken& cancel, Basis basis,
                      const std::vector<AlertSilence>& silences);
  Status clear_outbox();
  Status take_new_values(const AlertRule& rule, Timestamp at, const CancelToken& cancel, AlertAnswer& answer,
                         AlertCommit& commit);
  Status forward_digests();
  void deliver_one(const ReceivedMessage& message);

  const Parts parts_;
  AlertCounters counters_;
  /// Of forward's caller: rows of the outbox up to it are in the queue, but could not be removed yet; 0: none.
  std::int64_t sent_through_ = 0;
};

/// Waits before the second, third, .. try.
inline constexpr std::chrono::seconds kAlertRetryAfter[] = {std::chrono::seconds(15), std::chrono::seconds(120),
                                                            std::chrono::seconds(900), std::chrono::seconds(3'600)};

}  // namespace dendro
