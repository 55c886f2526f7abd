#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/queue.h"

namespace dendro {

/// Outlived by the queue.
struct NamedQueue {
  std::string name;
  Queue* queue = nullptr;
};

struct QueueStatus {
  std::string name;
  QueueDepth depth;
};

/// What an operator does with queues and their dead letters. Thread-safe; calls may wait for the disk.
/// Errors of all: not_found (no queue of this name), those of the queue.
class QueueAdmin {
 public:
  explicit QueueAdmin(std::vector<NamedQueue> queues) : queues_(std::move(queues)) {}

  /// In the order they were named.
  Result<std::vector<QueueStatus>> list() const;
  /// As Queue::dead_letters.
  Result<std::vector<DeadLetter>> dead_letters(std::string_view queue, std::size_t count_max,
                                               std::string_view after) const;
  /// Errors: not_found.
  Result<DeadLetter> dead_letter(std::string_view queue, std::string_view id) const;
  /// The one of this id, or all, is delivered as if it were new. Durable when it returns. Gives how many.
  /// Errors: not_found (no dead letter of this id).
  Result<std::size_t> retry(std::string_view queue, std::optional<std::string_view> id);
  /// The one of this id, or all, is gone for good. Gives how many. Errors: not_found.
  Result<std::size_t> drop(std::string_view queue, std::optional<std::string_view> id);

 private:
  Result<Queue*> find(std::string_view name) const;
  const std::vector<NamedQueue> queues_;
};

}  // namespace dendro
