#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/byte_budget.h"
#include "base/worker_pool.h"
#include "server/access_gate.h"
#include "server/open_connections.h"
#include "server/options.h"
#include "server/router.h"
#include "server/server_metrics.h"

namespace dendro {

/// What all connections of a server share. Fixed after start but for the counters, which are thread-safe.
struct ServerCore {
  ServerOptions options;
  AccessParts access;
  RouteTable routes;
  std::unique_ptr<Router> router;  // borrows `routes`
  WorkerPool* workers = nullptr;
  ServerMetrics* metrics = nullptr;
  std::shared_ptr<ByteBudget> budget;
  std::uint16_t tls_port = 0;              ///< of the first listener that speaks TLS; 0: none does
  std::atomic<std::size_t> handshakes{0};  ///< TLS connections that are not open yet
  std::atomic<bool> is_stopping{false};
  std::atomic<bool> warned_of_readable_credential{false};

  OpenConnections open_connections;
};

}  // namespace dendro
