#pragma once

#include <map>

#include "base/clock.h"
#include "base/mutex.h"
#include "io/queue.h"
#include "io/queue_ledger.h"

namespace dendro {

/// A queue that ends with the process. For tests, and for what may be lost.
class MemoryQueue final : public Queue {
 public:
  /// `clock` outlives this. `bytes_max`: of all messages held.
  explicit MemoryQueue(const Clock& clock, std::uint64_t bytes_max = std::uint64_t{64} << 20)
      : clock_(clock), bytes_max_(bytes_max) {}

  Result<std::vector<std::string>> send(std::span<const QueueMessage> messages) override;
  Result<std::vector<ReceivedMessage>> receive(std::size_t count_max, std::chrono::milliseconds visibility) override;
  Result<std::size_t> acknowledge(std::span<const std::string> receipts) override;
  Result<std::size_t> extend(std::span<const std::string> receipts, std::chrono::milliseconds visibility) override;
  Result<std::size_t> release(std::span<const std::string> receipts) override;
  Result<QueueDepth> depth() override;
  Result<std::vector<DeadLetter>> dead_letters(std::size_t count_max) override;
  Result<std::size_t> redrive() override;

 private:
  // Fixed after construction.
  const Clock& clock_;
  const std::uint64_t bytes_max_;
  Mutex mutex_;
  QueueLedger ledger_ DENDRO_GUARDED_BY(mutex_){1};
  std::map<QueueMessageId, QueueMessage> messages_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
  QueueMessageId next_id_ DENDRO_GUARDED_BY(mutex_){1};
};

}  // namespace dendro
