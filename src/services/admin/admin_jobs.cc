#include "services/admin/admin_jobs.h"

#include "base/hex.h"
#include "base/log.h"

namespace dendro {

std::string_view job_state_name(JobState state) {
  switch (state) {
    case JobState::running:
      return "running";
    case JobState::done:
      return "done";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
  }
  return "failed";
}

Result<std::string> AdminJobs::start(std::string_view kind, Work work, OnEnd on_end) {
  std::uint8_t bytes[8];
  random_.fill(bytes);
  forget_old();
  MutexLock lock(mutex_);
  if (is_stopped_) return Error(ErrorCode::unavailable, "the server is stopping");
  for (const auto& [number, job] : jobs_) {
    if (job.status.kind != kind || job.status.state != JobState::running) continue;
    return Error(ErrorCode::already_exists,
                 "job " + job.status.id + " (" + std::string(kind) + ") is running: wait for it, or cancel it");
  }
  const std::uint64_t number = next_number_++;
  Job& job = jobs_[number];
  job.status.id = to_hex(bytes);
  job.status.kind = kind;
  job.status.started = clock_.now();
  job.watch.on_progress = [this, number](std::uint64_t done, std::uint64_t total) {
    MutexLock progress_lock(mutex_);
    JobStatus& status = jobs_.at(number).status;
    status.done = done;
    status.total = total;
  };
  job.thread =
      std::jthread([this, number, work = std::move(work), on_end = std::move(on_end)] { run(number, work, on_end); });
  return job.status.id;
}

void AdminJobs::run(std::uint64_t number, const Work& work, const OnEnd& on_end) {
  WorkWatch watch;
  {
    MutexLock lock(mutex_);
    watch = jobs_.at(number).watch;
  }
  const JobStatus status = end(number, work(watch));
  if (status.problem) {
    log(LogLevel::error, "admin", "a job failed",
        {{"job", status.id}, {"kind", status.kind}, {"error", status.problem->message()}});
  }
  if (on_end) on_end(status);
}

JobStatus AdminJobs::end(std::uint64_t number, Result<std::string> result) {
  const Timestamp now = clock_.now();
  MutexLock lock(mutex_);
  JobStatus& status = jobs_.at(number).status;
  status.ended = now;
  if (result) {
    status.state = JobState::done;
    status.result_json = std::move(result).value();
  } else if (result.error().code() == ErrorCode::cancelled) {
    status.state = JobState::cancelled;
  } else {
    status.state = JobState::failed;
    status.problem = result.error();
  }
  return status;
}

std::vector<JobStatus> AdminJobs::list() const {
  std::vector<JobStatus> statuses;
  MutexLock lock(mutex_);
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) statuses.push_back(job->second.status);
  return statuses;
}

std::optional<JobStatus> AdminJobs::find(std::string_view id) const {
  MutexLock lock(mutex_);
  for (const auto& [number, job] : jobs_) {
    if (job.status.id == id) return job.status;
  }
  return std::nullopt;
}

Result<JobStatus> AdminJobs::cancel(std::string_view id) {
  MutexLock lock(mutex_);
  for (auto& [number, job] : jobs_) {
    if (job.status.id != id) continue;
    job.watch.cancel.cancel();
    return job.status;
  }
  return Error(ErrorCode::not_found, "there is no job of this id");
}

void AdminJobs::forget_old() {
  std::vector<std::jthread> ended;  // joined outside the lock
  MutexLock lock(mutex_);
  for (auto job = jobs_.begin(); job != jobs_.end() && jobs_.size() >= kMaxEndedJobs;) {
    if (job->second.status.state == JobState::running) {
      ++job;
      continue;
    }
    ended.push_back(std::move(job->second.thread));
    job = jobs_.erase(job);
  }
}

void AdminJobs::stop() {
  std::vector<std::jthread> threads;
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
    for (auto& [number, job] : jobs_) {
      job.watch.cancel.cancel();
      if (job.thread.joinable()) threads.push_back(std::move(job.thread));
    }
  }
}

}  // namespace dendro
