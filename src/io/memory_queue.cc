#include "io/memory_queue.h"

#include <algorithm>

namespace dendro {

Result<std::vector<std::string>> MemoryQueue::send(std::span<const QueueMessage> messages) {
  DENDRO_TRY(check_queue_messages(messages));
  std::uint64_t bytes = 0;
  for (const QueueMessage& message : messages) bytes += message.bytes();
  const Timestamp now = clock_.now();
  MutexLock lock(mutex_);
  if (bytes_ + bytes > bytes_max_) {
    return Error(ErrorCode::resource_exhausted, "queue: holds " + std::to_string(bytes_) + " bytes of " +
                                                    std::to_string(bytes_max_) + "; retry later");
  }
  std::vector<std::string> ids;
  for (const QueueMessage& message : messages) {
    ledger_.add(next_id_);
    messages_.emplace(next_id_, Kept{message, now});
    ids.push_back(std::to_string(next_id_.number()));
    next_id_ = next_id_.next();
  }
  bytes_ += bytes;
  return ids;
}

Result<std::vector<ReceivedMessage>> MemoryQueue::receive(std::size_t count_max, std::chrono::milliseconds visibility) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  std::vector<ReceivedMessage> received;
  MutexLock lock(mutex_);
  ledger_.bury(now);
  for (QueueLedger::Taken& taken : ledger_.take(std::min(count_max, kQueueReceiveMax), visibility, now)) {
    received.push_back({std::to_string(taken.id.number()), std::move(taken.receipt), taken.receive_count,
                        messages_.at(taken.id).message});
  }
  return received;
}

Result<std::size_t> MemoryQueue::acknowledge(std::span<const std::string> receipts) {
  std::size_t held = 0;
  MutexLock lock(mutex_);
  for (const std::string& receipt : receipts) {
    const auto id = ledger_.holder(receipt);
    if (!id) continue;
    forget_locked(*id);
    ++held;
  }
  return held;
}

Result<std::size_t> MemoryQueue::extend(std::span<const std::string> receipts, std::chrono::milliseconds visibility) {
  MutexLock lock(mutex_);
  return ledger_.extend(receipts, clock_.monotonic() + visibility);
}

Result<std::size_t> MemoryQueue::release(std::span<const std::string> receipts) {
  return extend(receipts, std::chrono::milliseconds(0));
}

Result<QueueDepth> MemoryQueue::depth() {
  const std::chrono::nanoseconds now = clock_.monotonic();
  MutexLock lock(mutex_);
  ledger_.bury(now);
  const QueueLedger::Counts counts = ledger_.counts(now);
  QueueDepth depth{counts.waiting, counts.leased, counts.dead, bytes_, {}, {}};
  if (counts.oldest) depth.oldest = messages_.at(*counts.oldest).sent;
  if (counts.oldest_dead) depth.oldest_dead = messages_.at(*counts.oldest_dead).sent;
  return depth;
}

void MemoryQueue::forget_locked(QueueMessageId id) {
  const auto kept = messages_.find(id);
  bytes_ -= kept->second.message.bytes();
  messages_.erase(kept);
  ledger_.remove(id);
}

DeadLetter MemoryQueue::letter_locked(QueueMessageId id) const {
  const Kept& kept = messages_.at(id);
  return {std::to_string(id.number()), ledger_.receive_count(id), kept.sent, kept.message};
}

Result<std::vector<DeadLetter>> MemoryQueue::dead_letters(std::size_t count_max, std::string_view after) {
  DENDRO_TRY_ASSIGN(const QueueMessageId first, parse_dead_letter_start(after));
  std::vector<DeadLetter> letters;
  MutexLock lock(mutex_);
  ledger_.bury(clock_.monotonic());
  for (const QueueMessageId id : ledger_.dead(count_max, first)) letters.push_back(letter_locked(id));
  return letters;
}

Result<DeadLetter> MemoryQueue::dead_letter(std::string_view id) {
  MutexLock lock(mutex_);
  ledger_.bury(clock_.monotonic());
  const std::vector<QueueMessageId> chosen = ledger_.choose_dead(id);
  if (chosen.empty()) return no_such_dead_letter(id);
  return letter_locked(chosen.front());
}

Result<std::size_t> MemoryQueue::redrive(std::optional<std::string_view> id) {
  MutexLock lock(mutex_);
  ledger_.bury(clock_.monotonic());
  const std::vector<QueueMessageId> chosen = ledger_.choose_dead(id);
  for (const QueueMessageId one : chosen) ledger_.revive(one);
  return chosen.size();
}

Result<std::size_t> MemoryQueue::drop(std::optional<std::string_view> id) {
  MutexLock lock(mutex_);
  ledger_.bury(clock_.monotonic());
  const std::vector<QueueMessageId> chosen = ledger_.choose_dead(id);
  for (const QueueMessageId one : chosen) forget_locked(one);
  return chosen.size();
}

}  // namespace dendro
