#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace dendro {

/// Threads for work that may block or takes over a millisecond (decoding, queries, disk reads). Thread-safe.
/// The destructor finishes what is queued, then joins.
class WorkerPool {
 public:
  /// @param queue_tasks_max  tasks that may wait; a further one is refused.
  WorkerPool(std::size_t threads, std::size_t queue_tasks_max);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs `task` on some thread of the pool, in order of arrival. The task must not throw.
  /// Errors: resource_exhausted (queue full), unavailable (stopping); the task is then not run.
  Status submit(std::function<void()> task);
  std::size_t threads() const { return threads_.size(); }

 private:
  void run();
  // Fixed after construction.
  const std::size_t queue_tasks_max_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ DENDRO_GUARDED_BY(mutex_);
  bool stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace dendro
