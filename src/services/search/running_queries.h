#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "query/plan/query_engine.h"

namespace dendro {

/// What is known of a query from outside.
struct QueryActivity {
  std::string id;  ///< of the request
  TenantId tenant = TenantId::default_tenant();
  std::string operation;  ///< "query", "histogram", "export", ..
  std::string query;      ///< its first RunningQueries::kShownBytesMax bytes
  Timestamp started;
  std::chrono::nanoseconds elapsed{};
  std::uint64_t scanned_records = 0, scanned_bytes = 0;  ///< once it has ended, where it is known
  std::string reason;                                    ///< "" while it runs; then as QueryOutcome::reason
};

struct QueryTotals {
  std::uint64_t running = 0;                   ///< now
  std::uint64_t ended = 0, slow = 0;           ///< since the start
  std::uint64_t cancelled = 0, timed_out = 0;  ///< of the ended ones
  std::uint64_t scanned_records = 0, scanned_bytes = 0;
  double seconds = 0;  ///< of the ended ones, added up
};

/// The queries that run now, of all tenants: listed, ended by an operator, and noted when they took long. A slow one is
/// a line of the own log and one of the last kSlowKept here. Thread-safe.
class RunningQueries {
 public:
  static constexpr std::size_t kShownBytesMax = 4'096;
  static constexpr std::size_t kSlowKept = 100;

  /// `slow_after`: from this on a query is slow; 0: none is. `clock` outlives this.
  RunningQueries(const Clock& clock, std::chrono::milliseconds slow_after) : clock_(clock), slow_after_(slow_after) {}

  struct Start {
    std::string id;
    TenantId tenant = TenantId::default_tenant();
    std::string_view operation;
    std::string_view query;
    CancelToken cancel;  ///< what ends it
  };
  /// One query; it has ended when this goes. It may outlive no RunningQueries.
  class Ticket {
   public:
    ~Ticket() { owner_.end(number_, outcome_); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    void set_outcome(const QueryOutcome& outcome);

   private:
    friend class RunningQueries;
    Ticket(RunningQueries& owner, std::uint64_t number) : owner_(owner), number_(number) {}
    struct Outcome {
      std::string reason = "end";
      std::uint64_t scanned_records = 0, scanned_bytes = 0;
    };
    RunningQueries& owner_;
    const std::uint64_t number_;
    Outcome outcome_;
  };
  std::unique_ptr<Ticket> begin(Start start);

  /// Oldest first.
  std::vector<QueryActivity> list() const;
  /// The last slow ones, newest first.
  std::vector<QueryActivity> slow() const;
  /// Ends the query of this request as if its caller had gone. False: it does not run.
  bool cancel(std::string_view id);
  QueryTotals totals() const;

 private:
  struct Running {
    QueryActivity activity;
    std::chrono::nanoseconds started_at{};  ///< of the monotonic clock
    CancelToken cancel;
  };
  void end(std::uint64_t number, const Ticket::Outcome& outcome);
  void note_slow(const QueryActivity& activity);

  const Clock& clock_;
  const std::chrono::milliseconds slow_after_;
  mutable Mutex mutex_;
  std::uint64_t next_number_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, Running> running_ DENDRO_GUARDED_BY(mutex_);
  std::deque<QueryActivity> slow_ DENDRO_GUARDED_BY(mutex_);
  QueryTotals totals_ DENDRO_GUARDED_BY(mutex_);
};

/// The run, with its end told to the ticket.
std::shared_ptr<QueryRun> track_run(std::unique_ptr<QueryRun> run, std::unique_ptr<RunningQueries::Ticket> ticket);

}  // namespace dendro
