#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/worker_pool.h"
#include "io/queue.h"
#include "meta/meta_database.h"
#include "services/alerts/alert_engine.h"
#include "services/alerts/alert_schedule.h"

namespace dendro {

struct AlertServiceParts {
  MetaDatabase& database;
  Queue& queue;
  WorkerPool& workers;
  const Clock& clock;
  RandomSource& random;
  AlertQueryParts query;
};

/// A rule and what is known of it.
struct AlertRuleView {
  AlertRule rule;
  std::string state;  ///< error, firing, pending, inactive; disabled
  AlertRuleState progress;
};

/// Alert rules of all tenants: kept, evaluated in time, told. Thread-safe; calls may wait for the disk, so they belong
/// on a worker. Two threads of its own: one looks at the clock and hands evaluations to the workers (kAlertsAtWorkMax
/// at a time, one of a rule), one delivers.
class AlertService {
 public:
  /// `rules`: of the configuration, with ids; `receivers` are all there are. All of `parts` outlives this.
  /// Errors: invalid_argument (two rules of one name, a receiver that is none, a query that is wrong), those of the
  /// meta database.
  static Result<std::unique_ptr<AlertService>> open(AlertServiceParts parts, AlertReceivers receivers,
                                                    std::vector<AlertRule> rules);
  ~AlertService() { stop(); }
  AlertService(const AlertService&) = delete;
  AlertService& operator=(const AlertService&) = delete;

  /// Begins to evaluate and to deliver.
  void start();
  /// Cancels evaluations at work and waits for the threads; a delivery at work is waited for. Before the workers go.
  void stop();

  /// By name.
  Result<std::vector<AlertRuleView>> list(const TenantId& tenant) const;
  /// Errors: not_found.
  Result<AlertRuleView> get(const TenantId& tenant, std::string_view id) const;
  /// Errors: invalid_argument (`fault` may say where in the query), already_exists, resource_exhausted.
  Result<AlertRuleView> create(AlertRule rule, QueryFault& fault);
  /// Errors: those of create; not_found; permission_denied (a rule of the configuration).
  Result<AlertRuleView> replace(AlertRule rule, QueryFault& fault);
  /// Errors: not_found, permission_denied.
  Status remove(const TenantId& tenant, std::string_view id);

  struct TestResult {
    AlertOutcome outcome;
    std::vector<AlertNotification> notifications;
    std::vector<std::string> receivers;
    bool is_sent = false;
  };
  enum class Deliver : std::uint8_t { no, yes };
  /// Evaluates now. Errors: not_found, those of the meta database.
  Result<TestResult> test(const TenantId& tenant, std::string_view id, Deliver deliver, const CancelToken& cancel);
  /// Errors: not_found.
  Result<std::vector<AlertHistoryRow>> history(const TenantId& tenant, std::string_view id, std::int64_t before,
                                               std::size_t count_max) const;

  AlertSilenceTable& silences() { return silences_; }
  Result<std::vector<AlertSilence>> list_silences(const TenantId& tenant) const { return engine_->silences(tenant); }

  const AlertCounters& counters() const { return engine_->counters(); }
  std::uint64_t firing() const;
  /// Of the queue, as delivery saw it last, at most a second or a delivery ago: waits for nothing.
  QueueDepth depth() const;

  /// While what it gives lives, which this outlives, no message goes from the database to the queue: who copies first
  /// the one and then the other has each message once. Waits for one that is on its way.
  std::shared_ptr<void> hold_messages();

 private:
  struct Watched {
    std::shared_ptr<const AlertRule> rule;
    AlertSlot slot;
    bool is_at_work = false;
    CancelToken cancel;       ///< of the evaluation at work alone: an operator may end it as any query
    bool is_removed = false;  ///< goes when its evaluation at work has ended
    std::uint64_t turn = 0;   ///< of its last evaluation: those who wait longest are next
    std::uint64_t firing = 0;
  };
  using Key = std::pair<TenantId, std::string>;

  AlertService(AlertServiceParts parts, AlertReceivers receivers);
  Status load(std::vector<AlertRule> rules);
  Status check(const AlertRule& rule, QueryFault& fault) const;
  Status watch(AlertRule rule);
  Result<std::shared_ptr<const AlertRule>> find(const TenantId& tenant, std::string_view id) const;
  Result<AlertRuleView> view(const AlertRule& rule) const;
  void run_schedule();
  void run_delivery();
  Watched* next_due_locked(Timestamp now) DENDRO_REQUIRES(mutex_);
  bool start_due_locked(Timestamp now) DENDRO_REQUIRES(mutex_);
  std::chrono::nanoseconds wait_locked(Timestamp now) const DENDRO_REQUIRES(mutex_);
  void evaluate(const std::shared_ptr<const AlertRule>& rule, AlertSlot slot, const CancelToken& cancel);
  void wake_delivery();
  /// Of the delivery's thread. True: there was something.
  bool forward_messages();
  bool deliver_messages();
  bool told(const Result<bool>& done);
  void release_messages();

  // Fixed after construction.
  const AlertServiceParts parts_;
  const AlertReceivers receivers_;
  AlertRuleTable rules_;
  mutable AlertSilenceTable silences_;
  AlertStateTable states_;
  std::unique_ptr<AlertEngine> engine_;
  const Timestamp started_;

  /// Held over a change of a rule in the database and of what is watched, or two changes at a time would leave the one
  /// as the first said and the other as the second. Taken before mutex_; nobody but those who change rules waits for
  /// it.
  Mutex change_mutex_;
  mutable Mutex mutex_;
  CondVar schedule_wake_, delivery_wake_, forwarded_;
  std::map<Key, Watched> watched_ DENDRO_GUARDED_BY(mutex_);
  std::size_t at_work_ DENDRO_GUARDED_BY(mutex_) = 0;
  bool has_to_deliver_ DENDRO_GUARDED_BY(mutex_) = true;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  bool is_forwarding_ DENDRO_GUARDED_BY(mutex_) = false;
  std::size_t holds_ DENDRO_GUARDED_BY(mutex_) = 0;  ///< nothing is forwarded unless it is 0
  std::uint64_t turns_ DENDRO_GUARDED_BY(mutex_) = 0;
  QueueDepth depth_ DENDRO_GUARDED_BY(mutex_);
  std::string trouble_;                       ///< of the delivery's thread
  std::chrono::nanoseconds trouble_told_{0};  ///< likewise
  std::jthread schedule_, delivery_;
};

}  // namespace dendro
