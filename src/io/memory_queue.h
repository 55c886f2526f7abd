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
  Result<std::vector<DeadLetter>> dead_letters(std::size_t count_max, std::string_view after = {}) override;
  Result<DeadLetter> dead_letter(std::string_view id) override;
  Result<std::size_t> redrive(std::optional<std::string_view> id = std::nullopt) override;
  Result<std::size_t> drop(std::optional<std::string_view> id = std::nullopt) override;

 private:
  struct Kept {
    QueueMessage message;
    Timestamp sent;
  };
  DeadLetter letter_locked(QueueMessageId id) const DENDRO_REQUIRES(mutex_);
  void forget_locked(QueueMessageId id) DENDRO_REQUIRES(mutex_);

  // Fixed after construction.
  const Clock& clock_;
  const std::uint64_t bytes_max_;
  Mutex mutex_;
  QueueLedger ledger_ DENDRO_GUARDED_BY(mutex_){1};
  std::map<QueueMessageId, Kept> messages_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
  QueueMessageId next_id_ DENDRO_GUARDED_BY(mutex_){1};
};

}  // namespace dendro
