#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/worker_pool.h"
#include "server/access_gate.h"
#include "server/listener_spec.h"
#include "server/options.h"
#include "server/route.h"
#include "server/server_metrics.h"
#include "server/tls/tls_watch.h"

namespace dendro {

/// What the server works with; all of it outlives the server.
struct ServerParts {
  Clock& clock;
  RandomSource& random;
  WorkerPool& workers;            ///< unpacks bodies; usually the pool of `on_workers` too
  ServerMetrics& metrics;         ///< one server each
  AccessParts access = {};        ///< none: open mode
  const TlsWatch* tls = nullptr;  ///< of the same listeners; null: none of them speaks TLS
};

/// HTTP/1.1 on any number of listeners, one loop thread a core. Handlers run on loop threads.
/// Responders and streams may be used from any thread at any time, also after the server is gone: they then do nothing.
/// `start`, `stop` and the destructor belong to one thread.
class HttpServer {
 public:
  /// Returns once every listener is bound and served.
  /// Errors: invalid_argument (a route table with two answers to one request; no listener), unavailable (port in use,
  /// address not of this machine), permission_denied (port below 1024), io_error.
  static Result<std::unique_ptr<HttpServer>> start(ServerOptions options, std::vector<ListenerSpec> listeners,
                                                   RouteTable routes, ServerParts parts);
  /// stop(0 ms).
  ~HttpServer();

  /// The listeners in their order, with the ports really taken.
  const std::vector<ListenerSpec>& bound() const;

  /// Closes the listeners, answers what is in flight with `Connection: close`, drops what lasts longer than `drain`
  /// (its requests are cancelled), joins the threads. Blocks. A second call does nothing.
  void stop(std::chrono::milliseconds drain);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dendro
