#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "server/route.h"

namespace dendro {

/// A number that one thread writes and others read.
class MetricSlot {
 public:
  void add(std::uint64_t step = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + step, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t step = 1) { add(~step + 1); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one loop counts. Written by its thread only.
class LoopMetrics {
 public:
  explicit LoopMetrics(std::size_t route_count);
  /// `route` is the row's index in the route table, or its size where none answered.
  void count_request(std::size_t route, int status);

  MetricSlot connections_open, connections_total, requests_in_flight, received_bytes, sent_bytes, refused, handshakes,
      handshake_failures;

 private:
  friend class ServerMetrics;
  std::vector<MetricSlot> by_route_and_status_;
};

/// Counters of the HTTP server, per-thread slots summed at scrape. Thread-safe. Outlives the server.
class ServerMetrics {
 public:
  /// Called by HttpServer::start, once.
  void attach(const RouteTable& routes, std::size_t loops);
  LoopMetrics& loop(std::size_t index);
  /// Prometheus text format 0.0.4.
  std::string text() const;

 private:
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<LoopMetrics>> loops_ DENDRO_GUARDED_BY(mutex_);
  std::vector<std::string> route_labels_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
