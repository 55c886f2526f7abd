#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "base/byte_budget.h"
#include "base/mutex.h"
#include "base/worker_pool.h"
#include "server/access_gate.h"
#include "server/options.h"
#include "server/router.h"
#include "server/server_metrics.h"

namespace dendro {

/// What all connections of a server share. Fixed after start but for the two counters, which are thread-safe.
struct ServerCore {
  ServerOptions options;
  AccessParts access;
  RouteTable routes;
  std::unique_ptr<Router> router;  // borrows `routes`
  WorkerPool* workers = nullptr;
  ServerMetrics* metrics = nullptr;
  std::shared_ptr<ByteBudget> budget;
  std::atomic<bool> is_stopping{false};
  std::atomic<bool> warned_of_readable_credential{false};

  /// Connections open, for the bound and for the drain.
  class OpenCount {
   public:
    bool try_add(std::size_t max) {
      MutexLock lock(mutex_);
      if (count_ >= max) return false;
      ++count_;
      return true;
    }
    void remove() {
      MutexLock lock(mutex_);
      if (--count_ == 0) is_zero_.notify_all();
    }
    /// True once none is open; false if the time passed first.
    bool wait_for_zero(std::chrono::nanoseconds span) {
      const auto last = std::chrono::steady_clock::now() + span;
      MutexLock lock(mutex_);
      while (count_ > 0) {
        const auto rest = last - std::chrono::steady_clock::now();
        if (rest <= std::chrono::nanoseconds::zero()) return false;
        is_zero_.wait_for(mutex_, rest);
      }
      return true;
    }

   private:
    Mutex mutex_;
    CondVar is_zero_;
    std::size_t count_ DENDRO_GUARDED_BY(mutex_) = 0;
  };
  OpenCount open_connections;
};

}  // namespace dendro
