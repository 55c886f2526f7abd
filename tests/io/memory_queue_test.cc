#include "io/memory_queue.h"

#include "tests/conformance/queue_suite.h"

namespace dendro {
namespace {

class MemoryQueueUnderTest final : public QueueUnderTest {
 public:
  Queue& queue() override { return queue_; }
  void advance(std::chrono::milliseconds span) override { clock_.advance(span); }

 private:
  ManualClock clock_{Timestamp(1'790'000'000'000'000'000)};
  MemoryQueue queue_{clock_, std::uint64_t{1} << 20};
};

std::unique_ptr<QueueUnderTest> make_memory_queue_under_test() {
  return std::make_unique<MemoryQueueUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Memory, QueueSuite, testing::Values(&make_memory_queue_under_test));

}  // namespace
}  // namespace dendro
