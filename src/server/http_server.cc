#include "server/http_server.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "server/acceptor.h"
#include "server/client_address.h"
#include "server/connection.h"
#include "server/loop.h"
#include "server/server_core.h"

namespace dendro {
namespace {

/// A loop that does not end its connections within this is stuck in a handler, which breaks the contract of
/// HttpHandler.
constexpr std::chrono::seconds kHardStopSpan{10};

constexpr std::string_view kFullReply =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";

/// Without a word where TLS would have to be agreed on first.
void turn_away(const AcceptedSocket& accepted) {
  if (!accepted.tls) {
    [[maybe_unused]] const ssize_t sent =
        ::send(accepted.fd, kFullReply.data(), kFullReply.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::close(accepted.fd);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(ServerOptions options, RouteTable routes, ServerParts parts) : core_(std::make_shared<ServerCore>()) {
    core_->options = std::move(options);
    core_->routes = std::move(routes);
    core_->access = std::move(parts.access);
    tls_ = parts.tls;
    core_->workers = &parts.workers;
    core_->metrics = &parts.metrics;
    core_->budget = std::make_shared<ByteBudget>(core_->options.limits.body_bytes_in_flight_max);
    const std::size_t wanted = core_->options.loop_threads;
    const std::size_t threads = wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
    for (std::size_t i = 0; i < threads; ++i) {
      loops_.push_back(std::make_shared<Loop>(parts.clock, parts.random, core_->options.limits.sweep_interval));
    }
  }

  Status open(const std::vector<ListenerSpec>& listeners) {
    if (listeners.empty()) return Error(ErrorCode::invalid_argument, "no listener: at least one is needed");
    DENDRO_TRY_ASSIGN(core_->router, Router::build(core_->routes));
    for (const ListenerSpec& spec : listeners) {
      DENDRO_CHECK(!spec.tls || tls_ != nullptr);
      DENDRO_TRY_ASSIGN(auto acceptor, Acceptor::open(spec, loops_.front()));
      bound_.push_back(acceptor->bound());
      acceptors_.push_back(std::move(acceptor));
      if (spec.tls && core_->tls_port == 0) core_->tls_port = bound_.back().port;
    }
    return {};
  }

  void run() {
    core_->metrics->attach(core_->routes, loops_.size());
    for (std::size_t i = 0; i < acceptors_.size(); ++i) {
      acceptors_[i]->start([this, keeper = bound_[i].tls ? tls_->keeper_of(i) : nullptr](AcceptedSocket accepted) {
        accepted.tls = keeper;
        take(std::move(accepted));
      });
    }
    for (const auto& loop : loops_) {
      threads_.emplace_back([loop] { loop->run(); });
      ::pthread_setname_np(threads_.back().native_handle(), "dendro-loop");
    }
  }

  void stop(std::chrono::milliseconds drain) {
    if (threads_.empty()) return;
    core_->is_stopping = true;
    close_acceptors();
    for (const auto& loop : loops_) loop->post([loop] { loop->stop_members_softly(); });
    if (!core_->open_connections.wait_for_zero(drain)) {
      for (const auto& loop : loops_) loop->post([loop] { loop->stop_members_hard(); });
      if (!core_->open_connections.wait_for_zero(kHardStopSpan)) {
        log(LogLevel::error, "server", "connections did not end; a handler holds a loop thread");
      }
    }
    for (const auto& loop : loops_) loop->shut_down();
    threads_.clear();
    acceptors_.clear();
    for (const auto& loop : loops_) loop->close();
  }

  const std::vector<ListenerSpec>& bound() const { return bound_; }

 private:
  /// On the home loop's thread.
  void take(AcceptedSocket accepted) {
    const ServerLimits& limits = core_->options.limits;
    if (limits.connections_per_address_max > 0 && !core_->options.trusted_proxies.contains(accepted.peer_address)) {
      accepted.place = client_network(accepted.peer_address);
    }
    const auto verdict =
        core_->open_connections.try_add(accepted.place, {limits.connections_max, limits.connections_per_address_max});
    if (verdict != OpenConnections::Verdict::taken) return turn_away(accepted);
    const auto fewest = std::ranges::min_element(
        loops_, {}, [](const auto& loop) { return loop->connections().load(std::memory_order_relaxed); });
    const std::shared_ptr<Loop> loop = *fewest;
    loop->connections().fetch_add(1, std::memory_order_relaxed);
    LoopMetrics& metrics = core_->metrics->loop(static_cast<std::size_t>(fewest - loops_.begin()));
    if (loop == loops_.front()) return serve_connection(core_, loop, metrics, std::move(accepted));
    loop->post([core = core_, loop, &metrics, accepted] { serve_connection(core, loop, metrics, accepted); });
  }

  /// Returns when no further connection can come.
  void close_acceptors() {
    const auto closed = std::make_shared<std::promise<void>>();
    std::future<void> is_closed = closed->get_future();
    loops_.front()->post([this, closed] {
      for (const auto& acceptor : acceptors_) acceptor->stop();
      closed->set_value();
    });
    is_closed.wait();
  }

  const std::shared_ptr<ServerCore> core_;
  const TlsWatch* tls_ = nullptr;
  std::vector<std::shared_ptr<Loop>> loops_;  // the first is home of the acceptors
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<ListenerSpec> bound_;
  std::vector<std::jthread> threads_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
  stop(std::chrono::milliseconds::zero());
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(ServerOptions options, std::vector<ListenerSpec> listeners,
                                                      RouteTable routes, ServerParts parts) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(routes), parts);
  DENDRO_TRY(impl->open(listeners));
  impl->run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::vector<ListenerSpec>& HttpServer::bound() const {
  return impl_->bound();
}
void HttpServer::stop(std::chrono::milliseconds drain) {
  impl_->stop(drain);
}

}  // namespace dendro
