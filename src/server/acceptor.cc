#include "server/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "server/limits.h"

namespace dendro {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Wait after accept4 ran out of descriptors or memory.
constexpr std::chrono::milliseconds kAcceptPause{100};

Error bind_error(const ListenerSpec& spec, int error_number) {
  const std::string place = "listen address " + spec.address_text() + ": ";
  switch (error_number) {
    case EADDRINUSE:
      return Error(ErrorCode::unavailable,
                   place + "the port is in use by another process; stop it or choose another port with --listen");
    case EADDRNOTAVAIL:
      return Error(ErrorCode::unavailable, place + "this machine has no such address");
    case EACCES:
      return Error(ErrorCode::permission_denied, place + "not allowed; ports below 1024 need CAP_NET_BIND_SERVICE");
    default:
      return Error(ErrorCode::io_error, place + errno_text(error_number));
  }
}

/// Text of a peer's address; an IPv4 one that came in by an IPv6 socket is written as IPv4.
std::string peer_text(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text.data(), text.size());
    return text.data();
  }
  const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    inet_ntop(AF_INET, &address.s6_addr[12], text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &address, text.data(), text.size());
  }
  return text.data();
}

}  // namespace

class Acceptor::Impl : public std::enable_shared_from_this<Acceptor::Impl> {
 public:
  Impl(ListenerSpec spec, std::shared_ptr<Loop> home)
      : spec_(std::move(spec)), home_(std::move(home)), socket_(home_->context()), pause_(home_->context()) {}

  Status listen() {
    const tcp::endpoint endpoint(asio::ip::make_address(spec_.address), spec_.port);
    boost::system::error_code error;
    socket_.open(endpoint.protocol(), error);
    if (!error) socket_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) socket_.bind(endpoint, error);
    if (!error) socket_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) socket_.native_non_blocking(true, error);
    if (!error) spec_.port = socket_.local_endpoint(error).port();
    if (error) return bind_error(spec_, error.value());
    return {};
  }

  const ListenerSpec& spec() const { return spec_; }
  void start(std::function<void(AcceptedSocket)> take) {
    take_ = std::move(take);
    wait();
  }
  void stop() {
    is_stopped_ = true;
    while (accept_one()) {
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
    take_ = nullptr;
  }

 private:
  void wait() {
    socket_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->is_stopped_) self->accept_some();
    });
  }

  void accept_some() {
    int taken = 0;
    while (taken < kAcceptBatch && accept_one()) ++taken;
    const bool is_starved =
        taken < kAcceptBatch && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
    if (!is_starved) return wait();
    log(LogLevel::error, "server", "cannot accept connections", {{"error", errno_text(errno)}});
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->is_stopped_) self->wait();
    });
  }

  /// False, with errno, if nothing could be taken.
  bool accept_one() {
    sockaddr_storage peer{};
    socklen_t peer_bytes = sizeof peer;
    int fd = -1;
    do {
      fd = ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &peer_bytes,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) return false;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    take_({.fd = fd,
           .is_v6 = peer.ss_family == AF_INET6,
           .peer_address = peer_text(peer),
           .profile = spec_.profile,
           .is_loopback = spec_.is_loopback()});
    return true;
  }

  ListenerSpec spec_;
  const std::shared_ptr<Loop> home_;  // owns the context of the members below
  tcp::acceptor socket_;
  asio::steady_timer pause_;
  std::function<void(AcceptedSocket)> take_;
  bool is_stopped_ = false;
};

Acceptor::Acceptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Acceptor::~Acceptor() = default;

Result<std::unique_ptr<Acceptor>> Acceptor::open(const ListenerSpec& spec, std::shared_ptr<Loop> home) {
  auto impl = std::make_unique<Impl>(spec, std::move(home));
  DENDRO_TRY(impl->listen());
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(impl)));
}

const ListenerSpec& Acceptor::bound() const {
  return impl_->spec();
}
void Acceptor::start(std::function<void(AcceptedSocket)> take) {
  impl_->start(std::move(take));
}
void Acceptor::stop() {
  impl_->stop();
}

}  // namespace dendro
