#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/io/temporary_folder.h"
#include "tests/storage/crash_model.h"
#include "tests/storage/kill_request.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

/// A running writer and the pipe on which it tells what was acknowledged.
class Writer {
 public:
  Writer(const std::string& folder, std::uint64_t first) {
    int ends[2];
    DENDRO_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    const std::string first_text = std::to_string(first);
    pid_ = ::fork();
    DENDRO_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(DENDRO_KILL_WRITER, DENDRO_KILL_WRITER, folder.c_str(), first_text.c_str(), nullptr);
      std::_Exit(127);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }

  /// Kills it and gives all numbers that it told.
  std::set<std::uint64_t> kill() {
    ::kill(pid_, SIGKILL);
    std::uint64_t number = 0;
    while (::read(pipe_, &number, sizeof number) == sizeof number) told_.insert(number);
    ::close(pipe_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    return std::move(told_);
  }

  /// Waits until so many requests were acknowledged. False: it ended before.
  bool wait_for(std::uint64_t count) {
    std::uint64_t number = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (::read(pipe_, &number, sizeof number) != sizeof number) return false;
      told_.insert(number);
    }
    return true;
  }

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
  std::set<std::uint64_t> told_;
};

/// How often each batch of each request is there.
std::map<std::uint64_t, std::map<std::uint64_t, int>> count_batches(Store& store) {
  std::map<std::uint64_t, std::map<std::uint64_t, int>> counts;
  for (const std::string& body : bodies_by_sequence(store)) {
    std::size_t end = 0;
    const std::uint64_t number = std::stoull(body, &end);
    ++counts[number][std::stoull(body.substr(end + 1))];
  }
  return counts;
}

TEST(Kill, LosesNothingAcknowledgedAndDoublesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.path("data");
  const auto files = make_posix_file_system();
  SystemClock clock;
  SystemRandom random;
  const std::uint64_t seed = seeds_from_environment(1).first;
  std::mt19937_64 dice(seed);
  std::set<std::uint64_t> acknowledged;
  std::uint64_t next = 0;
  std::cout << "seed " << seed << "\n";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(8);
  int rounds = 0;
  for (; rounds < 15 && std::chrono::steady_clock::now() < deadline; ++rounds) {
    Writer writer(path, next);
    ASSERT_TRUE(writer.wait_for(1 + dice() % 60));
    // Anywhere between this acknowledgement and the next ones.
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % 3'000));
    acknowledged.merge(writer.kill());

    auto store = Store::open(kill_test_options(path), *files, clock, random);
    ASSERT_TRUE(store.has_value()) << store.error().message();
    const auto counts = count_batches(**store);
    for (const std::uint64_t number : acknowledged) ASSERT_TRUE(counts.contains(number)) << "lost " << number;
    for (const auto& [number, batches] : counts) {
      ASSERT_EQ(batches.size(), kill_batches_of(number)) << "in part " << number;
      for (const auto& [batch, count] : batches) ASSERT_EQ(count, 1) << "doubled " << number;
    }
    next = counts.rbegin()->first + 1;
    // The sender whose answer was lost sends again.
    for (std::uint64_t number = next - std::min<std::uint64_t>(next, 20); number < next; ++number) {
      if (!kill_request_has_key(number) || !counts.contains(number)) continue;
      const auto reply = append_and_wait(**store, make_kill_request(number));
      ASSERT_TRUE(reply.has_value());
      EXPECT_TRUE(reply->replayed) << number;
    }
  }
  std::cout << rounds << " kills, " << acknowledged.size() << " requests acknowledged, " << next << " sent\n";
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(rounds));
}

}  // namespace
}  // namespace dendro
