// dendro's HTTP server beside a stock Beast one (tcp_stream, async_read, serializer), one thread each, in one process
// and one run: requests a second and CPU microseconds a request of the serving thread, medians of alternating rounds,
// and the ratio. Load: one thread, epoll, kept-alive connections on loopback. stack.md 15 (4) asks for 1.4 on GET and
// POST. Over TLS (1.3, AES-128-GCM or what the machine prefers, P-256) the peer is the stock server over Asio's
// ssl::stream.
//
//   bench_http_server [rounds=5] [seconds=2] [get|post|pipelined|tls|tls_big|handshakes]
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
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
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "server/http_server.h"
#include "tests/server/tls/test_certificates.h"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::steady_clock;

constexpr std::size_t kConnections = 32;
constexpr std::size_t kBodyBytes = 65536;
constexpr std::size_t kPipelined = 16;
constexpr std::size_t kBigBytes = std::size_t{1} << 20;

/// A certificate in files, as our server wants it.
class CertificateFiles {
 public:
  CertificateFiles() {
    const dendro::TestPair pair = dendro::TestAuthority().sign({.common_name = "bench", .usage = "serverAuth"});
    std::filesystem::create_directories(folder_);
    std::ofstream(certificate()) << pair.certificate;
    std::ofstream(key()) << pair.key;
  }
  ~CertificateFiles() { std::filesystem::remove_all(folder_); }
  std::string certificate() const { return folder_ + "/certificate.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }

 private:
  const std::string folder_ =
      (std::filesystem::temp_directory_path() / ("dendro-bench-" + std::to_string(::getpid()))).string();
};

// ---- the stock server ----

template <typename Stream>
asio::awaitable<void> serve_stock_on(Stream& stream) {
  constexpr auto tuple = asio::as_tuple(asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  buffer.reserve(kBodyBytes);
  while (true) {
    http::request<http::string_body> request;
    const auto [read_error, read_bytes] = co_await http::async_read(stream, buffer, request, tuple);
    if (read_error) co_return;
    http::response<http::string_body> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain");
    response.keep_alive(request.keep_alive());
    response.body() = request.target() == "/big" ? std::string(kBigBytes, 'x') : "hello";
    response.prepare_payload();
    const auto [write_error, write_bytes] = co_await http::async_write(stream, response, tuple);
    if (write_error) co_return;
  }
}

asio::awaitable<void> serve_stock(tcp::socket socket, asio::ssl::context* tls) {
  if (tls == nullptr) {
    boost::beast::tcp_stream stream(std::move(socket));
    co_return co_await serve_stock_on(stream);
  }
  boost::beast::ssl_stream<boost::beast::tcp_stream> stream(std::move(socket), *tls);
  const auto [error] =
      co_await stream.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
  if (!error) co_await serve_stock_on(stream);
}

asio::awaitable<void> accept_stock(tcp::acceptor& acceptor,
                                   asio::ssl::context* tls) {  // both outlive the io_context's run
  while (true) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    socket.set_option(tcp::no_delay(true));
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, serve_stock(std::move(socket), tls), asio::detached);
  }
}

class StockServer {
 public:
  /// `files`: of its certificate; null: without TLS.
  explicit StockServer(const CertificateFiles* files)
      : acceptor_(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
    if (files != nullptr) {
      tls_.use_certificate_chain_file(files->certificate());
      tls_.use_private_key_file(files->key(), asio::ssl::context::pem);
      SSL_CTX_set_num_tickets(tls_.native_handle(), 0);  // as ours
    }
    asio::co_spawn(context_, accept_stock(acceptor_, files == nullptr ? nullptr : &tls_), asio::detached);
    thread_ = std::jthread([this] { context_.run(); });
  }
  ~StockServer() { context_.stop(); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context context_{1};
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  tcp::acceptor acceptor_;
  std::jthread thread_;
};

// ---- ours ----

class OurServer {
 public:
  explicit OurServer(const CertificateFiles* files) : workers_(1, 64) {
    const dendro::HttpHandler hello = [](std::shared_ptr<const dendro::HttpRequest>, dendro::Responder respond) {
      dendro::HttpResponse response;
      response.content_type = "text/plain";
      response.body = "hello";
      respond(std::move(response));
    };
    dendro::RouteTable routes(3);
    routes[0].method = routes[2].method = "GET";
    routes[1].method = "POST";
    for (dendro::Route& route : routes) {
      route.path = "/x";
      route.on = dendro::kAllProfiles;
      route.operation_id = route.method;
      route.handler = hello;
    }
    routes[2].path = "/big";
    routes[2].operation_id = "big";
    routes[2].handler = [](std::shared_ptr<const dendro::HttpRequest>, dendro::Responder respond) {
      dendro::HttpResponse response;
      response.content_type = "text/plain";
      response.body.assign(kBigBytes, 'x');
      respond(std::move(response));
    };
    dendro::ServerOptions options;
    options.loop_threads = 1;
    std::vector<dendro::ListenerSpec> listeners = {{.address = "127.0.0.1", .port = 0}};
    if (files != nullptr) {
      dendro::TlsSettings tls;
      tls.certificates = {files->certificate()};
      tls.keys = {files->key()};
      listeners[0].tls = std::move(tls);
    }
    auto watch = dendro::TlsWatch::open(listeners, clock_);
    DENDRO_CHECK(watch.has_value());
    tls_ = std::move(watch).value();
    auto started = dendro::HttpServer::start(
        options, listeners, std::move(routes),
        {.clock = clock_, .random = random_, .workers = workers_, .metrics = metrics_, .tls = tls_.get()});
    DENDRO_CHECK(started.has_value());
    server_ = std::move(started).value();
  }
  std::uint16_t port() const { return server_->bound().front().port; }

 private:
  dendro::SystemClock clock_;
  dendro::SystemRandom random_;
  dendro::ServerMetrics metrics_;
  dendro::WorkerPool workers_;
  std::unique_ptr<dendro::TlsWatch> tls_;
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

/// One connection of the load, with TLS or without. Blocking.
class Wire {
 public:
  Wire(std::uint16_t port, SSL_CTX* tls) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    DENDRO_CHECK(::connect(fd_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0);
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, fd_);
    DENDRO_CHECK(SSL_connect(ssl_) == 1);
  }
  ~Wire() {
    SSL_free(ssl_);
    ::close(fd_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int fd() const { return fd_; }
  void send_all(std::string_view bytes) const {
    if (ssl_ != nullptr) return DENDRO_CHECK(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0);
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      DENDRO_CHECK(sent > 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// At least one byte, as far as no further wait is needed.
  std::size_t receive(std::vector<char>& out) const {
    if (ssl_ == nullptr) {
      const ssize_t count = ::recv(fd_, out.data(), out.size(), 0);
      DENDRO_CHECK(count > 0);
      return static_cast<std::size_t>(count);
    }
    std::size_t all = 0;
    do {
      std::size_t count = 0;
      DENDRO_CHECK(SSL_read_ex(ssl_, out.data(), out.size(), &count) == 1);
      all += count;
    } while (SSL_pending(ssl_) > 0);
    return all;
  }

 private:
  const int fd_;
  SSL* ssl_ = nullptr;
};

/// Bytes of one reply to `request`, whose body is all one letter, or "hello".
std::size_t reply_bytes(std::uint16_t port, SSL_CTX* tls, const std::string& request) {
  const Wire wire(port, tls);
  wire.send_all(request);
  std::string reply;
  std::vector<char> bytes(std::size_t{1} << 16);
  std::size_t expected = SIZE_MAX;
  while (reply.size() < expected) {
    const std::size_t count = wire.receive(bytes);
    reply.append(bytes.data(), std::min(count, bytes.size()));
    reply.resize(reply.size() + (count - std::min(count, bytes.size())), 'x');
    const std::size_t head = reply.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    const bool is_big = request.find("/big") != std::string::npos;
    expected = head + 4 + (is_big ? kBigBytes : 5);
  }
  DENDRO_CHECK(reply.starts_with("HTTP/1.1 200") && reply.size() == expected);
  return expected;
}

/// Sends `burst` requests a connection, waits for all their replies, again. Replies have one size: Date's width is
/// fixed.
Rate load(std::uint16_t port, SSL_CTX* tls, const std::string& request, std::size_t burst, double seconds) {
  const std::size_t expected = reply_bytes(port, tls, request) * burst;
  std::string bursts;
  for (std::size_t i = 0; i < burst; ++i) bursts += request;
  const int poller = ::epoll_create1(0);
  std::vector<std::unique_ptr<Wire>> wires;
  std::vector<std::size_t> rest(kConnections, expected);
  for (std::uint32_t i = 0; i < kConnections; ++i) {
    wires.push_back(std::make_unique<Wire>(port, tls));
    epoll_event event{.events = EPOLLIN, .data = {.u32 = i}};
    ::epoll_ctl(poller, EPOLL_CTL_ADD, wires.back()->fd(), &event);
  }
  const double process_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double loader_before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  const auto first = steady_clock::now();
  const auto last = first + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
  for (const auto& wire : wires) wire->send_all(bursts);
  std::size_t answered = 0;
  std::vector<char> bytes(std::size_t{1} << 16);
  epoll_event events[kConnections];
  while (steady_clock::now() < last) {
    const int ready = ::epoll_wait(poller, events, kConnections, 1000);
    for (int i = 0; i < ready; ++i) {
      const std::uint32_t index = events[i].data.u32;
      const std::size_t count = wires[index]->receive(bytes);
      rest[index] -= std::min(rest[index], count);
      if (rest[index] > 0) continue;
      answered += burst;
      rest[index] = expected;
      wires[index]->send_all(bursts);
    }
  }
  const double wall = std::chrono::duration<double>(steady_clock::now() - first).count();
  const double cpu =
      (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process_before) - (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - loader_before);
  ::close(poller);
  const auto count = static_cast<double>(answered);
  return {.per_second = count / wall, .cpu_us = cpu / count * 1e6};
}

/// A connection and one request each.
Rate load_handshakes(std::uint16_t port, SSL_CTX* tls, const std::string& request, double seconds) {
  const double process_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double loader_before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  const auto first = steady_clock::now();
  double count = 0;
  while (std::chrono::duration<double>(steady_clock::now() - first).count() < seconds) {
    reply_bytes(port, tls, request);
    ++count;
  }
  const double wall = std::chrono::duration<double>(steady_clock::now() - first).count();
  const double cpu =
      (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process_before) - (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - loader_before);
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

struct Servers {
  const OurServer& ours;
  const StockServer& stock;
  SSL_CTX* tls = nullptr;  // of the load; null: without TLS
};

void compare(const char* what, const Servers& servers, const std::string& request, std::size_t burst, int rounds,
             double seconds) {
  Series of_ours;
  Series of_stock;
  for (int round = 0; round < rounds; ++round) {
    const auto run = [&](std::uint16_t port) {
      if (burst == 0) return load_handshakes(port, servers.tls, request, seconds);
      return load(port, servers.tls, request, burst, seconds);
    };
    of_stock.add(run(servers.stock.port()));
    of_ours.add(run(servers.ours.port()));
  }
  std::printf("%s, %zu connections, %d rounds of %.1f s\n", what, burst == 0 ? 1 : kConnections, rounds, seconds);
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
  const CertificateFiles files;
  const OurServer ours(nullptr), ours_tls(&files);
  const StockServer stock(nullptr), stock_tls(&files);
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> client(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const Servers plain{ours, stock}, tls{ours_tls, stock_tls, client.get()};
  const std::string get = "GET /x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
  const std::string big = "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string post =
      "POST /x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Length: " + std::to_string(kBodyBytes) +
      "\r\n\r\n" + std::string(kBodyBytes, 'x');
  const auto wanted = [only](std::string_view name) { return only.empty() || only == name; };
  if (wanted("get")) compare("GET", plain, get, 1, rounds, seconds);
  if (wanted("post")) compare("POST of 64 KiB", plain, post, 1, rounds, seconds);
  if (wanted("pipelined")) compare("GET pipelined x16", plain, get, kPipelined, rounds, seconds);
  if (wanted("tls")) compare("GET over TLS", tls, get, 1, rounds, seconds);
  if (wanted("tls")) compare("POST of 64 KiB over TLS", tls, post, 1, rounds, seconds);
  if (wanted("tls_big")) compare("GET of 1 MiB over TLS", tls, big, 1, rounds, seconds);
  if (wanted("handshakes")) compare("TLS connection with one GET", tls, get, 0, rounds, seconds);
  return 0;
}
