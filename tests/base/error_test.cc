#include <gtest/gtest.h>

#include <atomic>

#include "base/result.h"
#include "base/worker_pool.h"

namespace dendro {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error(ErrorCode::invalid_argument, "odd");
  return number / 2;
}

Result<int> quarter(int number) {
  DENDRO_TRY_ASSIGN(const int first, half(number));
  DENDRO_TRY_ASSIGN(const int second, half(first));
  return second;
}

Status check_even(int number) {
  DENDRO_TRY(half(number));
  return {};
}

TEST(Result, PassesValuesAndErrorsUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6).has_value());
  EXPECT_EQ(quarter(6).error().message(), "odd");
  EXPECT_TRUE(check_even(2).has_value());
  EXPECT_EQ(check_even(3).error().code(), ErrorCode::invalid_argument);
}

TEST(Error, ContextKeepsTheCode) {
  const Error error = Error(ErrorCode::corruption, "checksum mismatch").with_context("segment 17");
  EXPECT_EQ(error.message(), "segment 17: checksum mismatch");
  EXPECT_EQ(error.code(), ErrorCode::corruption);
}

TEST(Error, TheTableGivesStatusAndExitCode) {
  EXPECT_EQ(http_status_of(ErrorCode::storage_full), 507);
  EXPECT_EQ(http_status_of(ErrorCode::resource_exhausted), 429);
  EXPECT_EQ(exit_code_of(ErrorCode::invalid_argument), 2);
  EXPECT_EQ(exit_code_of(ErrorCode::unavailable), 1);
  EXPECT_EQ(error_code_name(ErrorCode::deadline_exceeded), "deadline_exceeded");
}

TEST(WorkerPool, FinishesWhatIsQueuedBeforeItEnds) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(2, 1'000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.submit([&done] { ++done; }).has_value());
  }
  EXPECT_EQ(done, 500);
}

TEST(WorkerPool, RefusesWhatDoesNotFitItsQueue) {
  WorkerPool pool(1, 2);
  Mutex gate;
  gate.lock();
  const auto wait_at_gate = [&gate] { MutexLock lock(gate); };
  int refused = 0;
  for (int i = 0; i < 10; ++i) refused += pool.submit(wait_at_gate).has_value() ? 0 : 1;
  EXPECT_GE(refused, 7);  // one may run, two wait
  gate.unlock();
}

}  // namespace
}  // namespace dendro
