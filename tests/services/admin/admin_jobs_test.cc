#include "services/admin/admin_jobs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/random.h"

namespace dendro {
namespace {

/// Jobs that go on until they are let go.
class AdminJobsTest : public testing::Test {
 protected:
  AdminJobs::Work waiting_work() {
    return [gate = gate_.get_future().share()](const WorkWatch& watch) -> Result<std::string> {
      watch.tell(1, 3);
      while (gate.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
        if (watch.cancel.cancelled()) return Error(ErrorCode::cancelled, "cancelled");
      }
      return std::string(R"({"a":1})");
    };
  }
  static AdminJobs::Work done_at_once() {
    return [](const WorkWatch&) -> Result<std::string> { return std::string(); };
  }
  JobStatus wait_for_end(const std::string& id) {
    for (;; std::this_thread::yield()) {
      const auto job = jobs_.find(id);
      EXPECT_TRUE(job.has_value());
      if (!job || job->state != JobState::running) return job.value_or(JobStatus());
    }
  }

  ManualClock clock_{Timestamp(1'000)};
  SystemRandom random_;
  std::promise<void> gate_;
  AdminJobs jobs_{clock_, random_};
};

TEST_F(AdminJobsTest, TellsHowFarItIsAndHowItEnded) {
  const auto id = jobs_.start("backup", waiting_work());
  ASSERT_TRUE(id.has_value());
  while (jobs_.find(*id)->total == 0) std::this_thread::yield();
  const JobStatus running = *jobs_.find(*id);
  EXPECT_EQ(running.kind, "backup");
  EXPECT_EQ(running.state, JobState::running);
  EXPECT_EQ(running.done, 1u);
  EXPECT_EQ(running.total, 3u);
  EXPECT_EQ(running.started, Timestamp(1'000));
  EXPECT_FALSE(running.ended);
  clock_.advance(std::chrono::nanoseconds(500));
  gate_.set_value();
  const JobStatus ended = wait_for_end(*id);
  EXPECT_EQ(ended.state, JobState::done);
  EXPECT_EQ(ended.ended, Timestamp(1'500));
  EXPECT_EQ(ended.result_json, R"({"a":1})");
  EXPECT_FALSE(jobs_.find("another"));
}

TEST_F(AdminJobsTest, OneOfAKindAtATime) {
  const auto first = jobs_.start("backup", waiting_work());
  ASSERT_TRUE(first.has_value());
  const auto second = jobs_.start("backup", done_at_once());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::already_exists);
  EXPECT_NE(second.error().message().find(*first), std::string::npos);
  EXPECT_TRUE(jobs_.start("verify", done_at_once()).has_value());
  gate_.set_value();
  wait_for_end(*first);
  const auto third = jobs_.start("backup", done_at_once());
  ASSERT_TRUE(third.has_value());
  wait_for_end(*third);
  EXPECT_EQ(jobs_.list().size(), 3u);
  EXPECT_EQ(jobs_.list().front().id, *third);  // newest first
}

TEST_F(AdminJobsTest, EndsWhenCancelledOrFailed) {
  const auto waiting = jobs_.start("backup", waiting_work());
  EXPECT_EQ(jobs_.cancel("none").error().code(), ErrorCode::not_found);
  ASSERT_TRUE(jobs_.cancel(*waiting).has_value());
  EXPECT_EQ(wait_for_end(*waiting).state, JobState::cancelled);
  EXPECT_EQ(jobs_.cancel(*waiting)->state, JobState::cancelled);
  std::promise<JobStatus> told;
  const auto failing = jobs_.start(
      "backup", [](const WorkWatch&) -> Result<std::string> { return Error(ErrorCode::storage_full, "no room"); },
      [&told](const JobStatus& job) { told.set_value(job); });
  ASSERT_TRUE(failing.has_value());
  const JobStatus failed = told.get_future().get();
  EXPECT_EQ(failed.state, JobState::failed);
  ASSERT_TRUE(failed.problem.has_value());
  EXPECT_EQ(failed.problem->message(), "no room");
  EXPECT_EQ(jobs_.find(*failing)->state, JobState::failed);
}

TEST_F(AdminJobsTest, StoppingCancelsWhatRunsAndRefusesMore) {
  const auto id = jobs_.start("backup", waiting_work());
  jobs_.stop();
  EXPECT_EQ(jobs_.find(*id)->state, JobState::cancelled);
  EXPECT_EQ(jobs_.start("verify", done_at_once()).error().code(), ErrorCode::unavailable);
}

TEST_F(AdminJobsTest, KeepsTheLastOnesOnly) {
  for (std::size_t i = 0; i < kMaxEndedJobs + 20; ++i) {
    const auto id = jobs_.start("backup", done_at_once());
    ASSERT_TRUE(id.has_value());
    wait_for_end(*id);
  }
  EXPECT_EQ(jobs_.list().size(), kMaxEndedJobs);
}

}  // namespace
}  // namespace dendro
