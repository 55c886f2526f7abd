#include "server/tls/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "server/tls/openssl_text.h"

namespace dendro {
namespace {

/// Buffers in a row, of 16 KiB, whose records hold no data (key updates, warnings): no client has a use for so many.
/// One holds 600 key updates, some milliseconds of work.
constexpr int kIdleBuffersMax = 4;
/// Bytes that one call writes at most before others on the loop have their turn.
constexpr std::size_t kWriteBytesMax = std::size_t{256} << 10;

}  // namespace

class TlsStream::Impl {
 public:
  Impl(std::shared_ptr<const TlsContext> context, int fd)
      : context_(std::move(context)), fd_(fd), ssl_(context_->new_connection()) {
    BIO* const wire = BIO_new(wire_method());
    DENDRO_CHECK(wire != nullptr);
    BIO_set_data(wire, this);
    BIO_set_init(wire, 1);
    SSL_set_bio(ssl_, wire, wire);
  }
  ~Impl() { SSL_free(ssl_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Outcome shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result != 1) return outcome_of(result);
    is_open_ = true;
    if (X509* const certificate = SSL_get0_peer_certificate(ssl_)) client_ = describe_client_certificate(certificate);
    return {State::done, 0};
  }

  Outcome read(std::span<char> room) {
    std::size_t count = 0;
    for (int idle = 0; idle < kIdleBuffersMax;) {
      const Outcome step = read_record(room.subspan(count));
      count += step.count;
      if (step.state == State::done && count < room.size() && SSL_has_pending(ssl_) == 1) continue;
      if (count > 0) return {State::done, count};
      if (step.state != State::want_read || is_starved_) return step;
      ++idle;
    }
    return fail("too many records without data");
  }

  Outcome write(std::string_view bytes) {
    std::size_t count = 0;
    while (count < std::min(bytes.size(), kWriteBytesMax)) {
      ERR_clear_error();
      std::size_t step = 0;
      const int result = SSL_write_ex(ssl_, bytes.data() + count, bytes.size() - count, &step);
      if (result != 1) {
        const Outcome outcome = outcome_of(result);
        return count > 0 && outcome.state != State::failed ? Outcome{State::done, count} : outcome;
      }
      count += step;
    }
    return {State::done, count};
  }

  void close() {
    if (!is_open_) return;
    is_open_ = false;
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }

  bool has_buffered() const { return SSL_has_pending(ssl_) == 1; }
  const std::optional<ClientCertificate>& client() const { return client_; }
  bool is_client_trusted(const TlsContext& now) const { return !client_ || now.trusts_client_of(ssl_, *context_); }
  const std::string& fault() const { return fault_; }
  bool is_peer_plain() const { return is_peer_plain_; }

 private:
  Outcome read_record(std::span<char> room) {
    ERR_clear_error();
    is_starved_ = false;
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_, room.data(), room.size(), &count);
    return result == 1 ? Outcome{State::done, count} : outcome_of(result);
  }

  Outcome outcome_of(int result) {
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        return {State::want_read, 0};
      case SSL_ERROR_WANT_WRITE:
        return {State::want_write, 0};
      case SSL_ERROR_ZERO_RETURN:
        return {State::closed, 0};
      case SSL_ERROR_SYSCALL:  // the end of the connection without that of TLS, or a reset
        is_open_ = false;
        return {State::closed, 0};
      default:
        break;
    }
    const int reason = ERR_GET_REASON(ERR_peek_error());
    is_peer_plain_ = reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST;
    return fail(openssl_reason());
  }

  Outcome fail(std::string why) {
    fault_ = std::move(why);
    is_open_ = false;
    return {State::failed, 0};
  }

  // OpenSSL's own socket BIO raises SIGPIPE and does not tell whether the socket was empty.
  static const BIO_METHOD* wire_method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dendro socket");
      DENDRO_CHECK(made != nullptr);
      BIO_meth_set_read(made, [](BIO* wire, char* out, int bytes) { return of(wire).receive(wire, out, bytes); });
      BIO_meth_set_write(made, [](BIO* wire, const char* in, int bytes) { return of(wire).send(wire, in, bytes); });
      BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1L : 0L; });
      return made;
    }();
    return method;
  }
  static Impl& of(BIO* wire) { return *static_cast<Impl*>(BIO_get_data(wire)); }
  static bool would_block(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  }

  int receive(BIO* wire, char* out, int bytes) {
    BIO_clear_retry_flags(wire);
    const ssize_t count = ::recv(fd_, out, static_cast<std::size_t>(bytes), 0);
    is_starved_ = would_block(count);
    if (is_starved_) BIO_set_retry_read(wire);
    return static_cast<int>(count);
  }
  int send(BIO* wire, const char* in, int bytes) const {
    BIO_clear_retry_flags(wire);
    const ssize_t count = ::send(fd_, in, static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
    if (would_block(count)) BIO_set_retry_write(wire);
    return static_cast<int>(count);
  }

  const std::shared_ptr<const TlsContext> context_;  // outlives ssl_, whose callbacks point to it
  const int fd_;
  SSL* const ssl_;
  std::optional<ClientCertificate> client_;
  std::string fault_;
  bool is_open_ = false;     // the handshake is done and nothing failed: an end may be told
  bool is_starved_ = false;  // the last read found the socket empty
  bool is_peer_plain_ = false;
};

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context, int fd)
    : impl_(std::make_unique<Impl>(std::move(context), fd)) {}
TlsStream::~TlsStream() = default;

TlsStream::Outcome TlsStream::shake_hands() {
  return impl_->shake_hands();
}
TlsStream::Outcome TlsStream::read(std::span<char> room) {
  return impl_->read(room);
}
TlsStream::Outcome TlsStream::write(std::string_view bytes) {
  return impl_->write(bytes);
}
void TlsStream::close() {
  impl_->close();
}
bool TlsStream::has_buffered() const {
  return impl_->has_buffered();
}
const std::optional<ClientCertificate>& TlsStream::client() const {
  return impl_->client();
}
bool TlsStream::is_client_trusted(const TlsContext& now) const {
  return impl_->is_client_trusted(now);
}
const std::string& TlsStream::fault() const {
  return impl_->fault();
}
bool TlsStream::is_peer_plain() const {
  return impl_->is_peer_plain();
}

}  // namespace dendro
