#include "services/search/running_queries.h"

#include <utility>

#include "base/log.h"

namespace dendro {
namespace {

/// Long lines help nobody in a log.
constexpr std::size_t kLoggedBytesMax = 1'024;

class TrackedRun final : public QueryRun {
 public:
  TrackedRun(std::unique_ptr<QueryRun> run, std::unique_ptr<RunningQueries::Ticket> ticket)
      : run_(std::move(run)), ticket_(std::move(ticket)) {}

  Result<std::optional<std::string>> next_piece() override {
    auto piece = run_->next_piece();
    if (run_->is_finished() && ticket_ != nullptr) {
      ticket_->set_outcome(run_->outcome());
      ticket_.reset();
    }
    return piece;
  }
  bool is_finished() const override { return run_->is_finished(); }
  const QueryOutcome& outcome() const override { return run_->outcome(); }

 private:
  std::unique_ptr<QueryRun> run_;
  std::unique_ptr<RunningQueries::Ticket> ticket_;  ///< null once it has ended
};

}  // namespace

void RunningQueries::Ticket::set_outcome(const QueryOutcome& outcome) {
  outcome_ = {outcome.reason, outcome.scanned_records, outcome.scanned_bytes};
}

std::unique_ptr<RunningQueries::Ticket> RunningQueries::begin(Start start) {
  Running running;
  running.activity.id = std::move(start.id);
  running.activity.tenant = start.tenant;
  running.activity.operation = start.operation;
  running.activity.query = start.query.substr(0, kShownBytesMax);
  running.activity.started = clock_.now();
  running.started_at = clock_.monotonic();
  running.cancel = std::move(start.cancel);
  MutexLock lock(mutex_);
  const std::uint64_t number = next_number_++;
  running_.emplace(number, std::move(running));
  return std::unique_ptr<Ticket>(new Ticket(*this, number));
}

void RunningQueries::end(std::uint64_t number, const Ticket::Outcome& outcome) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  QueryActivity ended;
  {
    MutexLock lock(mutex_);
    const auto found = running_.find(number);
    ended = std::move(found->second.activity);
    ended.elapsed = now - found->second.started_at;
    // A stream that its reader left was not told how its run ended.
    ended.reason = found->second.cancel.cancelled() ? "cancelled" : outcome.reason;
    running_.erase(found);
    ended.scanned_records = outcome.scanned_records;
    ended.scanned_bytes = outcome.scanned_bytes;
    ++totals_.ended;
    totals_.cancelled += ended.reason == "cancelled" ? 1 : 0;
    totals_.timed_out += ended.reason == "timeout" ? 1 : 0;
    totals_.scanned_records += ended.scanned_records;
    totals_.scanned_bytes += ended.scanned_bytes;
    totals_.seconds += std::chrono::duration<double>(ended.elapsed).count();
    if (slow_after_.count() == 0 || ended.elapsed < slow_after_) return;
    ++totals_.slow;
    slow_.push_front(ended);
    if (slow_.size() > kSlowKept) slow_.pop_back();
  }
  note_slow(ended);
}

void RunningQueries::note_slow(const QueryActivity& activity) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(activity.elapsed).count();
  log(LogLevel::warning, "query", "slow query",
      {{"request_id", activity.id},
       {"tenant", activity.tenant.text()},
       {"operation", activity.operation},
       {"query", activity.query.substr(0, kLoggedBytesMax)},
       {"elapsed_ms", std::to_string(milliseconds)},
       {"scanned_records", std::to_string(activity.scanned_records)},
       {"scanned_bytes", std::to_string(activity.scanned_bytes)},
       {"reason", activity.reason}});
}

std::vector<QueryActivity> RunningQueries::list() const {
  const std::chrono::nanoseconds now = clock_.monotonic();
  std::vector<QueryActivity> all;
  MutexLock lock(mutex_);
  for (const auto& [number, running] : running_) {
    all.push_back(running.activity);
    all.back().elapsed = now - running.started_at;
  }
  return all;
}

std::vector<QueryActivity> RunningQueries::slow() const {
  MutexLock lock(mutex_);
  return {slow_.begin(), slow_.end()};
}

bool RunningQueries::cancel(std::string_view id) {
  bool is_found = false;
  MutexLock lock(mutex_);
  for (auto& [number, running] : running_) {
    if (running.activity.id != id) continue;
    running.cancel.cancel();
    is_found = true;
  }
  return is_found;
}

QueryTotals RunningQueries::totals() const {
  MutexLock lock(mutex_);
  QueryTotals totals = totals_;
  totals.running = running_.size();
  return totals;
}

std::shared_ptr<QueryRun> track_run(std::unique_ptr<QueryRun> run, std::unique_ptr<RunningQueries::Ticket> ticket) {
  return std::make_shared<TrackedRun>(std::move(run), std::move(ticket));
}

}  // namespace dendro
