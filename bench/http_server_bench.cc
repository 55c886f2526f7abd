// dendro's HTTP server beside a stock Beast one (tcp_stream, async_read, serializer), one thread each, in one process
// and one run: requests a second and CPU microseconds a request of the serving thread, medians of alternating rounds,
// and the ratio. Load: one thread, epoll, kept-alive connections on loopback. stack.md 15 (4) asks for 1.4 on GET and
// POST.
//
//   bench_http_server [rounds=5] [seconds=2] [get|post|pipelined]
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "server/http_server.h"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::steady_clock;

constexpr std::size_t kConnections = 32;
constexpr std::size_t kBodyBytes = 65536;
constexpr std::size_t kPipelined = 16;

// ---- the stock server ----

asio::awaitable<void> serve_stock(tcp::socket socket) {
  constexpr auto tuple = asio::as_tuple(asio::use_awaitable);
  boost::beast::tcp_stream stream(std::move(socket));
  boost::beast::flat_buffer buffer;
  buffer.reserve(kBodyBytes);
  while (true) {
    http::request<http::string_body> request;
    const auto [read_error, read_bytes] = co_await http::async_read(stream, buffer, request, tuple);
    if (read_error) co_return;
    http::response<http::string_body> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain");
    response.keep_alive(request.keep_alive());
    response.body() = "hello";
    response.prepare_payload();
    const auto [write_error, write_bytes] = co_await http::async_write(stream, response, tuple);
    if (write_error) co_return;
  }
}

asio::awaitable<void> accept_stock(tcp::acceptor& acceptor) {  // outlives the io_context's run
  while (true) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    socket.set_option(tcp::no_delay(true));
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, serve_stock(std::move(socket)), asio::detached);
  }
}

class StockServer {
 public:
  StockServer() : acceptor_(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
    asio::co_spawn(context_, accept_stock(acceptor_), asio::detached);
    thread_ = std::jthread([this] { context_.run(); });
  }
  ~StockServer() { context_.stop(); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::jthread thread_;
};

// ---- ours ----

class OurServer {
 public:
  OurServer() : workers_(1, 64) {
    const dendro::HttpHandler hello = [](std::shared_ptr<const dendro::HttpRequest>, dendro::Responder respond) {
      dendro::HttpResponse response;
      response.content_type = "text/plain";
      response.body = "hello";
      respond(std::move(response));
    };
    dendro::RouteTable routes(2);
    routes[0].method = "GET";
    routes[1].method = "POST";
    for (dendro::Route& route : routes) {
      route.path = "/x";
      route.on = dendro::kAllProfiles;
      route.operation_id = route.method;
      route.handler = hello;
    }
    dendro::ServerOptions options;
    options.loop_threads = 1;
    auto started =
        dendro::HttpServer::start(options, {{.address = "127.0.0.1", .port = 0}}, std::move(routes),
                                  {.clock = clock_, .random = random_, .workers = workers_, .metrics = metrics_});
    DENDRO_CHECK(started.has_value());
    server_ = std::move(started).value();
  }
  std::uint16_t port() const { return server_->bound().front().port; }

 private:
  dendro::SystemClock clock_;
  dendro::SystemRandom random_;
  dendro::ServerMetrics metrics_;
  dendro::WorkerPool workers_;
  std::unique_ptr<dendro::HttpServer> server_;
};

// ---- load ----

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // of all threads but the loader's, a request
};

double cpu_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  DENDRO_CHECK(::connect(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0);
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    DENDRO_CHECK(sent > 0);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Bytes of one reply to `request`.
std::size_t reply_bytes(std::uint16_t port, const std::string& request) {
  const int fd = connect_to(port);
  send_all(fd, request);
  std::string reply;
  char bytes[4096];
  while (!reply.ends_with("\r\n\r\nhello")) {
    const ssize_t count = ::recv(fd, bytes, sizeof bytes, 0);
    DENDRO_CHECK(count > 0);
    reply.append(bytes, static_cast<std::size_t>(count));
  }
  ::close(fd);
  DENDRO_CHECK(reply.starts_with("HTTP/1.1 200"));
  return reply.size();
}

/// Sends `burst` requests a connection, waits for all their replies, again. Replies have one size: Date's width is
/// fixed.
Rate load(std::uint16_t port, const std::string& request, std::size_t burst, double seconds) {
  const std::size_t expected = reply_bytes(port, request) * burst;
  std::string bursts;
  for (std::size_t i = 0; i < burst; ++i) bursts += request;
  const int poller = ::epoll_create1(0);
  std::vector<int> fds;
  std::vector<std::size_t> rest(4096);
  for (std::size_t i = 0; i < kConnections; ++i) {
    const int fd = connect_to(port);
    DENDRO_CHECK(static_cast<std::size_t>(fd) < rest.size());
    fds.push_back(fd);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
  const double process_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double loader_before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  const auto first = steady_clock::now();
  const auto last = first + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
  for (const int fd : fds) {
    rest[static_cast<std::size_t>(fd)] = expected;
    send_all(fd, bursts);
  }
  std::size_t answered = 0;
  std::vector<char> bytes(std::size_t{1} << 16);
  epoll_event events[kConnections];
  while (steady_clock::now() < last) {
    const int ready = ::epoll_wait(poller, events, kConnections, 1000);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      std::size_t& left = rest[static_cast<std::size_t>(fd)];
      const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
      DENDRO_CHECK(count > 0);
      left -= std::min(left, static_cast<std::size_t>(count));
      if (left > 0) continue;
      answered += burst;
      left = expected;
      send_all(fd, bursts);
    }
  }
  const double wall = std::chrono::duration<double>(steady_clock::now() - first).count();
  const double cpu =
      (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process_before) - (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - loader_before);
  for (const int fd : fds) ::close(fd);
  ::close(poller);
  const auto count = static_cast<double>(answered);
  return {.per_second = count / wall, .cpu_us = cpu / count * 1e6};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Series {
  std::vector<double> per_second;
  std::vector<double> cpu_us;
  void add(Rate rate) {
    per_second.push_back(rate.per_second);
    cpu_us.push_back(rate.cpu_us);
  }
  void print(const char* name) const {
    const auto [low, high] = std::ranges::minmax(per_second);
    std::printf("  %-6s %9.0f/s  (%.0f to %.0f)  %6.2f us CPU a request\n", name, median(per_second), low, high,
                median(cpu_us));
  }
};

void compare(const char* what, const OurServer& ours, const StockServer& stock, const std::string& request,
             std::size_t burst, int rounds, double seconds) {
  Series of_ours;
  Series of_stock;
  for (int round = 0; round < rounds; ++round) {
    of_stock.add(load(stock.port(), request, burst, seconds));
    of_ours.add(load(ours.port(), request, burst, seconds));
  }
  std::printf("%s, %zu connections, %d rounds of %.1f s\n", what, kConnections, rounds, seconds);
  of_stock.print("stock");
  of_ours.print("dendro");
  std::printf("  ratio  %9.2f requests/s, %.2f CPU\n", median(of_ours.per_second) / median(of_stock.per_second),
              median(of_stock.cpu_us) / median(of_ours.cpu_us));
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  const std::string_view only = argc > 3 ? argv[3] : "";
  const OurServer ours;
  const StockServer stock;
  const std::string get = "GET /x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
  const std::string post =
      "POST /x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Length: " + std::to_string(kBodyBytes) +
      "\r\n\r\n" + std::string(kBodyBytes, 'x');
  if (only.empty() || only == "get") compare("GET", ours, stock, get, 1, rounds, seconds);
  if (only.empty() || only == "post") compare("POST of 64 KiB", ours, stock, post, 1, rounds, seconds);
  if (only.empty() || only == "pipelined") compare("GET pipelined x16", ours, stock, get, kPipelined, rounds, seconds);
  return 0;
}
