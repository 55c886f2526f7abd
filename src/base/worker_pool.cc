#include "base/worker_pool.h"

#include <string>
#include <utility>

namespace dendro {

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_tasks_max) : queue_tasks_max_(queue_tasks_max) {
  DENDRO_CHECK(threads > 0);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

Status WorkerPool::submit(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return Error(ErrorCode::unavailable, "worker pool: stopping");
    if (queue_.size() >= queue_tasks_max_) {
      return Error(ErrorCode::resource_exhausted,
                   "worker pool: " + std::to_string(queue_tasks_max_) + " tasks wait already; retry later");
    }
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return {};
}

void WorkerPool::run() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wake_.wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace dendro
