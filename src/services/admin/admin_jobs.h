#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/work_watch.h"

namespace dendro {

enum class JobState : std::uint8_t { running, done, failed, cancelled };
/// "running", ...
std::string_view job_state_name(JobState state);

/// Long work as somebody sees it who asks.
struct JobStatus {
  std::string id;
  std::string kind;  ///< compact, backup, verify
  JobState state = JobState::running;
  std::uint64_t done = 0, total = 0;  ///< of the kind's own unit; total may grow
  Timestamp started;
  std::optional<Timestamp> ended;
  std::optional<Error> problem;  ///< failed: why
  std::string result_json;       ///< done: an object, or empty
};

/// Long work in threads of its own, one job of a kind at a time. Thread-safe.
class AdminJobs {
 public:
  /// Gives an object as JSON, or an empty text; a `cancelled` error makes the job a cancelled one.
  using Work = std::function<Result<std::string>(const WorkWatch&)>;
  /// Called once on the job's thread when it has ended; must not block for long.
  using OnEnd = std::function<void(const JobStatus&)>;

  /// Both outlive this.
  AdminJobs(const Clock& clock, RandomSource& random) : clock_(clock), random_(random) {}
  ~AdminJobs() { stop(); }
  AdminJobs(const AdminJobs&) = delete;
  AdminJobs& operator=(const AdminJobs&) = delete;

  /// The id. Errors: already_exists (one of this kind runs; the text names it), unavailable (stopped).
  Result<std::string> start(std::string_view kind, Work work, OnEnd on_end = {});
  /// Newest first: what runs, and the last kMaxEndedJobs that ended.
  std::vector<JobStatus> list() const;
  std::optional<JobStatus> find(std::string_view id) const;
  /// Asks a job to end; one that has ended stays as it is. What it looks like then. Errors: not_found.
  Result<JobStatus> cancel(std::string_view id);
  /// Cancels what runs and waits for it. What is started later is refused.
  void stop();

 private:
  struct Job {
    JobStatus status;
    WorkWatch watch;
    std::jthread thread;
  };
  void run(std::uint64_t number, const Work& work, const OnEnd& on_end);
  JobStatus end(std::uint64_t number, Result<std::string> result);
  void forget_old();

  const Clock& clock_;
  RandomSource& random_;
  mutable Mutex mutex_;
  bool is_stopped_ DENDRO_GUARDED_BY(mutex_) = false;
  std::uint64_t next_number_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, Job> jobs_ DENDRO_GUARDED_BY(mutex_);  ///< in the order of their start
};

inline constexpr std::size_t kMaxEndedJobs = 100;

}  // namespace dendro
