#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/worker_pool.h"
#include "server/http_server.h"
#include "tests/server/raw_client.h"

namespace dendro {

/// Set once by one thread, awaited by another for at most ten seconds.
class TestEvent {
 public:
  void set();
  bool wait();
  /// Waits 5 ms.
  bool wait_briefly();

 private:
  Mutex mutex_;
  CondVar is_set_changed_;
  bool is_set_ DENDRO_GUARDED_BY(mutex_) = false;
};

/// A server on port 0 of the loopback with a clock that stands until it is moved.
class TestServer {
 public:
  TestServer() : workers(2, 64) {}

  /// A row that answers on platform, analytics and ingest alike.
  Route& add(std::string method, std::string path, HttpHandler handler);
  /// The same with a handler that has its answer at once.
  Route& add_plain(std::string method, std::string path, std::function<HttpResponse(const HttpRequest&)> make);
  /// POST /echo (the body), GET /hello ("hello").
  void add_usual();
  void start(Profile profile = Profile::platform);
  std::uint16_t port(std::size_t listener = 0) const { return server->bound()[listener].port; }
  /// Moves the clock on and lets every loop look at it.
  void advance(std::chrono::milliseconds span) { clock.advance(span); }

  ManualClock clock{Timestamp(1'700'000'000 * kNanosPerSecond)};
  SystemRandom random;
  ServerMetrics metrics;
  WorkerPool workers;
  ServerOptions options;
  AccessParts access;
  std::vector<ListenerSpec> listeners;
  RouteTable routes;
  std::unique_ptr<TlsWatch> tls;       // its thread is not started: a test looks when it likes
  std::unique_ptr<HttpServer> server;  // last: it goes before what it uses
};

/// "GET /path HTTP/1.1" with a Host and further lines ("Name: value\r\n").
std::string get(std::string_view path, std::string_view lines = {});
std::string post(std::string_view path, std::string_view body, std::string_view lines = {});

HttpResponse plain_text(std::string text);

}  // namespace dendro
