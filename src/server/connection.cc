// Phases of a connection, and who ends them when they last too long (`sweep`):
//   handshake TLS is being agreed on                    handshake_timeout    close
//   idle      nothing of a request is here              idle_timeout         close
//   head      part of a head is here                    head_timeout         408, close
//   body      a head is accepted, its body is coming    body_stall_timeout,  408, close
//                                                       body_bytes_per_s_min
//   handling  the authenticator, a handler, an unpacking
//             or a stream works                         peer gone            cancel, close
//   writing   the peer takes our bytes                  write_stall_timeout  close
//   socket    it became a WebSocket                     WebSocketIo          close
//   linger    refused: what still comes is dropped      linger_timeout       close
#include "server/connection.h"
#include "server/client_address.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "io/decompress.h"
#include "server/access_watch.h"
#include "server/exchange.h"
#include "server/limits.h"
#include "server/mailbox.h"
#include "server/parked_coroutine.h"
#include "server/piece_sink.h"
#include "server/request_reader.h"
#include "server/response_writer.h"
#include "server/tls/tls_stream.h"
#include "server/web_socket_io.h"

namespace dendro {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
// The concrete executor and raw socket of stack.md 3.2 (1).
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
template <typename T>
using Awaitable = asio::awaitable<T, Executor>;
using UseLoop = asio::use_awaitable_t<Executor>;
constexpr auto kAsTuple = asio::as_tuple(UseLoop());
/// What a read or write came to, as kAsTuple gives it.
using IoResult = std::tuple<boost::system::error_code, std::size_t>;

constexpr std::string_view kPlainOnTlsReply =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 32\r\n"
    "Connection: close\r\n\r\nthis port speaks TLS: use https\n";

/// A place among the connections whose handshake is not done.
class HandshakePlace {
 public:
  HandshakePlace(std::atomic<std::size_t>& taken, std::size_t max)
      : taken_(taken), is_free_(taken_.fetch_add(1, std::memory_order_relaxed) < max) {}
  HandshakePlace(const HandshakePlace&) = delete;
  HandshakePlace& operator=(const HandshakePlace&) = delete;
  ~HandshakePlace() { taken_.fetch_sub(1, std::memory_order_relaxed); }
  bool is_free() const { return is_free_; }

 private:
  std::atomic<std::size_t>& taken_;
  const bool is_free_;
};

class Connection final : public LoopMember, public WebSocketWire, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerCore> core, std::shared_ptr<Loop> loop, LoopMetrics& metrics,
             AcceptedSocket accepted)
      : core_(std::move(core)),
        loop_(std::move(loop)),
        metrics_(metrics),
        limits_(core_->options.limits),
        accepted_(std::move(accepted)),
        varies_by_origin_(!core_->options.cors_origins.empty() && !core_->options.cors_origins.is_any()),
        socket_(loop_->context(), accepted_.is_v6 ? tcp::v6() : tcp::v4(), accepted_.fd),
        reader_(limits_.head_bytes_max),
        phase_since_(loop_->coarse_now()) {}

  /// The whole life of a connection.
  static Awaitable<void> serve(std::shared_ptr<Connection> self) {
    self->loop_->add(*self);
    self->metrics_.connections_open.add();
    self->metrics_.connections_total.add();
    co_await self->run();
    self->finish();
  }
  Executor executor() { return socket_.get_executor(); }

  void sweep(std::chrono::nanoseconds now) override {
    if (tls_ && !is_client_trusted()) return stop_hard();
    if (watch_) watch_->sweep(loop_->now());
    const std::chrono::nanoseconds age = now - phase_since_;
    switch (phase_) {
      case Phase::handshake:
        if (age > limits_.handshake_timeout) stop_hard();
        break;
      case Phase::idle:
        if (age > limits_.idle_timeout) stop_reading();
        break;
      case Phase::head:
        if (age > limits_.head_timeout) time_out();
        break;
      case Phase::body:
        if (age > limits_.body_stall_timeout || is_body_trickling(now)) time_out();
        break;
      case Phase::handling:
        look_after_peer(now);
        break;
      case Phase::writing:
        if (age > limits_.write_stall_timeout) stop_hard();
        break;
      case Phase::socket:
        if (!web_socket_->sweep(now, limits_.write_stall_timeout)) stop_hard();
        break;
      case Phase::linger:
        if (age > limits_.linger_timeout) stop_hard();
        break;
    }
  }

  void stop_softly() override {
    if (phase_ == Phase::handshake) return stop_hard();
    if (phase_ == Phase::idle && !has_bytes_waiting()) stop_reading();
    if (phase_ == Phase::socket) web_socket_->stop_softly();
  }

  void stop_hard() override {
    is_aborted_ = is_closing_ = true;
    cancel_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    wake();
  }

 private:
  enum class Phase : std::uint8_t { handshake, idle, head, body, handling, writing, socket, linger };

  Awaitable<void> run() {
    if (accepted_.tls) co_await shake_hands();
    while (!is_closing_) {
      switch (reader_.next()) {
        case RequestReader::Event::need_more:
          co_await fill();
          break;
        case RequestReader::Event::head:
          begin();
          if (exchange_.awaits_principal) co_await authenticate();
          if (!is_aborted_) start_body();
          break;
        case RequestReader::Event::complete:
          // Replies that are there at once, most of them, cost no coroutine of their own.
          if (!answer_at_once()) co_await answer_later();
          break;
        case RequestReader::Event::refused:
          refuse(reader_.refusal().status, reader_.refusal().detail);
          break;
      }
      if (out_.size() >= kReplyBatchBytes) co_await flush();
    }
    if (!is_aborted_ && co_await flush()) co_await linger();
  }

  void finish() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    loop_->remove(*this);
    metrics_.connections_open.subtract();
    loop_->connections().fetch_sub(1, std::memory_order_relaxed);
    core_->open_connections.remove(accepted_.place);
  }

  // ---- TLS ----

  Awaitable<void> shake_hands() {
    const HandshakePlace place(core_->handshakes, limits_.handshakes_max);
    if (!place.is_free()) {
      metrics_.handshake_failures.add();
      co_return stop_hard();
    }
    enter(Phase::handshake);
    tls_ = std::make_unique<TlsStream>(accepted_.tls->current(), socket_.native_handle());
    const auto [error, count] = co_await drive_tls([this] { return tls_->shake_hands(); });
    if (!error) co_return metrics_.handshakes.add();
    metrics_.handshake_failures.add();
    log(LogLevel::debug, "server", "no TLS connection came about",
        {{"peer", accepted_.peer_address}, {"reason", tls_->fault().empty() ? error.message() : tls_->fault()}});
    // What OpenSSL had to say to the peer is on its way; the rest of what the peer says is read away.
    if (tls_->is_peer_plain()) out_ = kPlainOnTlsReply;
    tls_ = nullptr;
    is_closing_ = needs_linger_ = true;
  }

  /// Repeats a step of TLS until it is done, and waits for the socket in between.
  template <typename Step>
  Awaitable<IoResult> drive_tls(Step step) {
    while (socket_.is_open()) {
      const TlsStream::Outcome outcome = step();
      auto direction = Socket::wait_read;
      switch (outcome.state) {
        case TlsStream::State::done:
          co_return IoResult(boost::system::error_code(), outcome.count);
        case TlsStream::State::closed:
          co_return IoResult(asio::error::eof, 0);
        case TlsStream::State::failed:
          co_return IoResult(asio::error::connection_aborted, 0);
        case TlsStream::State::want_read:
          break;
        case TlsStream::State::want_write:
          direction = Socket::wait_write;
          break;
      }
      const auto [error] = co_await socket_.async_wait(direction, kAsTuple);
      if (error) co_return IoResult(error, 0);
    }
    co_return IoResult(asio::error::operation_aborted, 0);
  }
  Awaitable<IoResult> read_tls(std::span<char> room) {
    return drive_tls([this, room] { return tls_->read(room); });
  }
  Awaitable<IoResult> write_tls(std::string_view bytes) {
    return drive_tls([this, bytes] { return tls_->write(bytes); });
  }
  /// Lets `begin` run behind what runs now, and hands on what it came to.
  template <typename Begin, typename Take>
  void start_tls(Begin begin, Take take) {
    asio::post(executor(), [this, self = shared_from_this(), begin, take] {
      asio::co_spawn(executor(), begin(), [self, take](const std::exception_ptr& fault, IoResult result) {
        if (fault) return take(asio::error::no_memory, 0);
        take(std::get<0>(result), std::get<1>(result));
      });
    });
  }

  /// False once the client's certificate ran out, or the files changed and speak against it.
  bool is_client_trusted() {
    const auto& client = tls_->client();
    return !client || (client->expires > loop_->now() && tls_->is_client_trusted(*accepted_.tls->current()));
  }
  Wire connection_wire() const {
    if (tls_) return Wire::https;
    return accepted_.is_loopback ? Wire::loopback : Wire::readable;
  }
  std::string_view client_names() const {
    return tls_ && tls_->client() ? std::string_view(tls_->client()->names) : std::string_view();
  }

  // ---- reading ----

  Awaitable<void> fill() {
    if (!out_.empty()) {
      if (!co_await flush()) co_return;
    }
    enter(reader_.is_between_requests() ? Phase::idle : reader_.is_within_head() ? Phase::head : Phase::body);
    if (phase_ == Phase::idle && core_->is_stopping && !has_bytes_waiting()) {
      is_closing_ = true;
      co_return;
    }
    if (phase_ == Phase::body && !exchange_.lease.grow_to(leased_bytes())) {
      refuse(429, "too many request bodies are being handled: retry later");
      co_return;
    }
    const std::span<char> room = reader_.prepare();
    IoResult result;
    if (tls_) {
      result = co_await read_tls(room);
    } else {
      result = co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), kAsTuple);
    }
    const auto [error, count] = result;
    if (is_timed_out_) {
      refuse(408, phase_ == Phase::head ? "the request's head took too long" : "the request's body stalled");
      co_return;
    }
    if (error) {
      is_closing_ = true;
      co_return;
    }
    metrics_.received_bytes.add(count);
    if (phase_ == Phase::body) phase_since_ = loop_->coarse_now();
    reader_.commit(count);
  }

  /// A peer that sends just enough not to stall would hold its share of the bodies for hours.
  bool is_body_trickling(std::chrono::nanoseconds now) {
    const std::chrono::nanoseconds age = now - body_since_;
    if (age <= limits_.body_stall_timeout) return false;
    const auto seconds = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count());
    return reader_.body_bytes() < seconds * limits_.body_bytes_per_s_min;
  }

  /// What a body may hold before the next look: a chunked one grows in steps.
  std::uint64_t leased_bytes() {
    if (exchange_.body_plan.discard || !reader_.head().is_chunked) return 0;
    return (reader_.body_bytes() / kByteLeaseStepBytes + 1) * kByteLeaseStepBytes;
  }

  /// A head is here: decide what becomes of its request.
  void begin() {
    phase_ = Phase::body;
    phase_since_ = loop_->coarse_now();
    const RequestHead& head = reader_.head();
    std::optional<std::string> client_id = client_request_id(head.headers);
    exchange_ = begin_exchange(*core_, accepted_.profile, peer(), head,
                               client_id ? std::move(*client_id) : loop_->make_request_id());
  }

  Peer peer() const { return {accepted_.peer_address, accepted_.is_loopback, static_cast<bool>(tls_), client_names()}; }

  /// Asks who calls, on a worker.
  Awaitable<void> authenticate() {
    auto box = std::make_shared<Mailbox<Result<PrincipalPtr>>>();
    auto task = [box, core = core_, credential = *exchange_.credential] {
      box->put(core->access.authenticator->authenticate(credential));
    };
    cancel_ = CancelToken();
    fin_seen_.reset();
    if (Status queued = core_->workers->submit(std::move(task)); !queued) box->put(std::move(queued).error());
    const std::optional<Result<PrincipalPtr>> principal = co_await receive(std::move(box));
    if (principal) admit_exchange(*core_, accepted_.profile, peer(), reader_.head(), exchange_, *principal);
  }

  /// The request may go on, or is refused: its body comes either way.
  void start_body() {
    const RequestHead& head = reader_.head();
    enter(Phase::body);
    body_since_ = loop_->coarse_now();
    reader_.start_body(exchange_.body_plan);
    if (exchange_.early_reply && !exchange_.keep_alive) {
      needs_linger_ = true;
      gather(*exchange_.early_reply);
    } else if (head.expects_continue && head.has_body()) {
      out_.append(kContinueReply);
    }
  }

  /// A request is complete: answers it if that needs no waiting, false otherwise.
  bool answer_at_once() {
    if (exchange_.early_reply) return gather(*exchange_.early_reply);
    cancel_ = CancelToken();
    fin_seen_.reset();
    reply_box_ = nullptr;
    if (reader_.head().packing != Packing::plain && reader_.body_bytes() > 0) return false;
    call_handler(reader_.take_body());
    if (!reply_box_->is_ready()) return false;
    reply_ = *reply_box_->take();
    return gather(reply_);
  }

  /// What `answer_at_once` left: a packed body, a handler at work, or a body too long to gather.
  Awaitable<void> answer_later() {
    if (!is_rest_waiting_) {
      metrics_.requests_in_flight.add();
      std::optional<HttpResponse> reply;
      if (reply_box_) {
        reply = co_await receive(reply_box_);
      } else {
        reply = co_await unpack_and_handle();
      }
      metrics_.requests_in_flight.subtract();
      if (!reply) co_return;
      reply_ = std::move(*reply);
      if (gather(reply_)) co_return;
    }
    co_await send_rest();
  }

  /// The handler's reply, or a refusal of the body; nothing if the peer went away.
  Awaitable<std::optional<HttpResponse>> unpack_and_handle() {
    std::optional<Result<std::string>> unpacked = co_await unpack(reader_.take_body());
    if (!unpacked) co_return std::nullopt;
    if (std::optional<HttpResponse> refusal = refusal_of_unpacked(*unpacked)) co_return refusal;
    call_handler(std::move(*unpacked).value());
    co_return co_await receive(reply_box_);
  }

  /// Runs the route's handler; its reply comes to reply_box_.
  void call_handler(std::string body) {
    const std::shared_ptr<HttpRequest> request = make_request(exchange_, reader_.head(), std::move(body));
    request->wire_body_bytes = reader_.body_bytes();
    request->peer_address = accepted_.peer_address;
    request->client_address = client_address(core_->options.trusted_proxies, accepted_.peer_address, request->headers);
    request->received = loop_->now();
    request->profile = accepted_.profile;
    request->cancel = cancel_;
    if (core_->access.count_body && request->principal) {
      core_->access.count_body(request->tenant, exchange_.route->permission, request->body.size());
    }
    reply_box_ = std::make_shared<Mailbox<HttpResponse>>();
    try {
      if (exchange_.said_in_socket) {
        reply_box_->put(exchange_.route->refuse_web_socket(*request, *exchange_.said_in_socket));
      } else {
        exchange_.route->handler(request, make_responder(reply_box_));
      }
    } catch (const std::exception& fault) {
      log(LogLevel::error, "server", "exception in a handler",
          {{"request_id", exchange_.request_id}, {"error", fault.what()}});
    }
  }

  // ---- packed bodies ----

  /// Unpacks on a worker unless it is tiny; nothing if the peer went away.
  Awaitable<std::optional<Result<std::string>>> unpack(std::string packed) {
    auto box = std::make_shared<Mailbox<Result<std::string>>>();
    const DecompressLimits bounds{.bytes_max = exchange_.route->body_bytes_max, .ratio_max = kUnpackRatioMax};
    const bool is_tiny = packed.size() <= kInlineUnpackBytesMax;
    auto task = [box, bounds, packing = reader_.head().packing, packed = std::move(packed)] {
      box->put(decompress(packing, packed, bounds));
    };
    if (is_tiny) {
      task();
    } else if (Status queued = core_->workers->submit(std::move(task)); !queued) {
      box->put(std::move(queued).error());
    }
    return receive(std::move(box));
  }

  std::optional<HttpResponse> refusal_of_unpacked(const Result<std::string>& unpacked) {
    if (!unpacked) {
      const Error& error = unpacked.error();
      if (error.code() == ErrorCode::too_large) return exchange_error(exchange_, 413, error.message());
      if (error.code() != ErrorCode::corruption) {
        return error_response(exchange_.shape, error, exchange_.request_id);
      }
      return exchange_error(exchange_, 400, "the request's body is not what its Content-Encoding says");
    }
    if (exchange_.lease.grow_to(unpacked->size())) return std::nullopt;
    return exchange_error(exchange_, 429, "too many request bodies are being handled: retry later");
  }

  // ---- replying ----

  /// Ends the connection with an error about bytes that make no (whole) request.
  void refuse(int status, std::string_view detail) {
    metrics_.refused.add();
    needs_linger_ = true;
    if (phase_ != Phase::body) {
      exchange_ = Exchange();
      exchange_.request_id = loop_->make_request_id();
      exchange_.wire = connection_wire();
      exchange_.shape = resolve_error_shape(ErrorShape::by_profile, accepted_.profile);
    }
    if (!exchange_.early_reply) exchange_.early_reply = exchange_error(exchange_, status, detail);
    exchange_.keep_alive = false;
    gather(*exchange_.early_reply);
  }

  BodyFraming framing_of(const HttpResponse& response) const {
    if (response.web_socket) return BodyFraming::upgrade;
    if (is_bodiless_status(response.status)) return BodyFraming::none;
    if (!response.stream) return BodyFraming::sized;
    return exchange_.is_http_1_0 ? BodyFraming::until_close : BodyFraming::chunked;
  }

  /// Appends the reply to what will be written; false if its body is a stream or so large that `send_rest` must follow.
  bool gather(HttpResponse& response) {
    if (response.status == kDroppedStatus) {
      response = error_response(exchange_.shape, Error(ErrorCode::internal, "a handler dropped its request"),
                                exchange_.request_id);
    }
    framing_ = framing_of(response);
    const bool ends_connection = framing_ == BodyFraming::until_close || framing_ == BodyFraming::upgrade;
    if (ends_connection || core_->is_stopping) exchange_.keep_alive = false;
    if (!exchange_.keep_alive) is_closing_ = true;
    append_response_head(out_, response,
                         {.date = loop_->date_text(),
                          .request_id = exchange_.request_id,
                          .framing = framing_,
                          .content_length = response.body.size(),
                          .is_http_1_0 = exchange_.is_http_1_0,
                          .keep_alive = exchange_.keep_alive,
                          .is_loopback = accepted_.is_loopback,
                          .is_https = exchange_.wire == Wire::https,
                          .hsts = core_->options.hsts,
                          .cors = &exchange_.cors,
                          .varies_by_origin = varies_by_origin_});
    metrics_.count_request(exchange_.route_index(core_->routes), response.status);
    phase_ = Phase::handling;
    if (exchange_.is_head_method || framing_ == BodyFraming::none) return true;
    is_rest_waiting_ = response.stream || response.web_socket || response.body.size() >= kGatherBodyBytes;
    if (!is_rest_waiting_) out_.append(response.body);
    return !is_rest_waiting_;
  }

  /// The body of reply_, whose head is gathered.
  Awaitable<void> send_rest() {
    is_rest_waiting_ = false;
    HttpResponse reply = std::move(reply_);
    if (reply.web_socket) {
      co_await speak_web_socket(std::move(reply.web_socket));
    } else if (reply.stream) {
      co_await send_stream(std::move(reply.stream));
    } else {
      co_await write(std::move(reply.body));
    }
  }

  Awaitable<void> send_stream(std::unique_ptr<ResponseStream> owned) {
    const std::shared_ptr<ResponseStream> stream = std::move(owned);
    watch_access([this] { stop_hard(); });  // a body cut without its last chunk is seen as such
    while (true) {
      auto box = std::make_shared<PieceSink::Box>();
      auto sink = std::make_shared<PieceSink>(box, stream);
      stream->next([sink = std::move(sink)](ResponseStream::Piece piece) { sink->put(std::move(piece)); });
      std::optional<ResponseStream::Piece> piece = co_await receive(std::move(box));
      if (!piece) co_return;
      if (!piece->has_value()) {
        cut_reply(piece->error());
        co_return;
      }
      if (!piece->value().has_value()) break;
      if (framing_ == BodyFraming::chunked) {
        append_chunk(out_, *piece->value());
      } else {
        out_.append(*piece->value());
      }
      if (out_.size() >= kReadBufferBytes && !co_await flush()) co_return;
    }
    watch_ = nullptr;
    if (framing_ == BodyFraming::chunked) out_.append(kLastChunk);
  }

  /// From now on `lost` is called when the caller may not have what is being sent any more.
  void watch_access(std::function<void()> lost) {
    if (!exchange_.principal) return;
    auto post = [loop = loop_](std::function<void()> task) { loop->post(std::move(task)); };
    auto when_lost = [weak = weak_from_this(), lost = std::move(lost)] {
      if (const auto self = weak.lock(); self && self->watch_) lost();
    };
    watch_ = std::make_shared<AccessWatch>(*core_->access.authenticator, *core_->workers, *exchange_.credential,
                                           exchange_.principal, std::move(post), std::move(when_lost));
  }

  // ---- WebSocket ----

  Awaitable<void> speak_web_socket(std::shared_ptr<WebSocketHandler> handler) {
    const bool is_sent = co_await flush();
    web_socket_ = std::make_unique<WebSocketIo>(loop_, std::move(handler), *this);
    if (is_sent) {
      phase_ = Phase::socket;
      web_socket_->open(reader_.take_rest());
      watch_access([this] { web_socket_->lose_access(); });
      if (core_->is_stopping) web_socket_->stop_softly();
      while (!web_socket_->is_over() && !is_aborted_) co_await park();
    }
    watch_ = nullptr;
    web_socket_->end();
  }

  void start_read() override {
    auto take = [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
      self->metrics_.received_bytes.add(count);
      if (error) return self->web_socket_->received(std::nullopt);
      self->web_socket_->received(std::string_view(self->scratch_.data(), count));
    };
    if (tls_) return start_tls([this] { return read_for_web_socket(); }, std::move(take));
    socket_.async_read_some(asio::buffer(scratch_), std::move(take));
  }
  Awaitable<IoResult> read_for_web_socket() {
    if (is_read_cancelled_) co_return IoResult(asio::error::operation_aborted, 0);  // before it began
    co_return co_await read_tls(scratch_);
  }
  void cancel_read() override {
    is_read_cancelled_ = true;
    stop_reading();
  }
  void start_write(std::string_view bytes) override {
    auto take = [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
      self->metrics_.sent_bytes.add(count);
      self->web_socket_->written(error ? std::nullopt : std::optional(count));
    };
    if (tls_) return start_tls([this, bytes] { return write_tls(bytes); }, std::move(take));
    socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), std::move(take));
  }
  void drop() override { stop_hard(); }
  void io_is_over() override { wake(); }

  /// The peer must see that the body is not whole: no last chunk, and a hard end where only the end says that it is
  /// over.
  void cut_reply(const Error& error) {
    log(LogLevel::warning, "server", "reply cut short",
        {{"request_id", exchange_.request_id}, {"error", error.message()}});
    is_closing_ = is_cut_ = true;
    if (exchange_.is_http_1_0) {
      boost::system::error_code ignored;
      socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    }
  }

  /// Writes what is gathered. False if the peer is gone. One buffer goes by send, which is cheaper than sendmsg.
  Awaitable<bool> flush() {
    std::size_t written = 0;
    while (written < out_.size() && !is_aborted_) {
      begin_write();
      const std::string_view rest = std::string_view(out_).substr(written);
      IoResult result;
      if (tls_) {
        result = co_await write_tls(rest);
      } else {
        result = co_await socket_.async_write_some(asio::buffer(rest.data(), rest.size()), kAsTuple);
      }
      const auto [error, count] = result;
      if (!end_write(error, count)) break;
      written += count;
    }
    out_.clear();
    co_return !is_aborted_;
  }

  /// Writes what is gathered, and `body` behind it.
  Awaitable<bool> write(std::string body) {
    if (tls_) {
      if (!co_await flush()) co_return false;
      out_.swap(body);
      const bool is_written = co_await flush();
      out_.swap(body);  // the large one goes
      co_return is_written;
    }
    std::array<asio::const_buffer, 2> parts{asio::buffer(out_), asio::buffer(body)};
    while (parts[0].size() + parts[1].size() > 0 && !is_aborted_) {
      begin_write();
      const auto [error, count] = co_await socket_.async_write_some(parts, kAsTuple);
      if (!end_write(error, count)) break;
      const std::size_t of_first = std::min(count, parts[0].size());
      parts[0] += of_first;
      parts[1] += count - of_first;
    }
    out_.clear();
    co_return !is_aborted_;
  }

  void begin_write() {
    phase_ = Phase::writing;
    phase_since_ = loop_->coarse_now();
  }
  bool end_write(const boost::system::error_code& error, std::size_t count) {
    if (error) {
      is_aborted_ = is_closing_ = true;
      cancel_.cancel();
    }
    metrics_.sent_bytes.add(count);
    return !error;
  }

  /// After a refusal the peer may still be sending: closing now would reset the connection and lose the reply on its
  /// way.
  Awaitable<void> linger() {
    boost::system::error_code ignored;
    if (tls_ && !is_cut_) tls_->close();
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    if (!needs_linger_ && !has_bytes_waiting()) co_return;
    enter(Phase::linger);
    while (!is_aborted_) {
      const std::span<char> room = scratch_;
      const auto [error, count] = co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), kAsTuple);
      if (error) co_return;
      metrics_.received_bytes.add(count);
    }
  }

  // ---- waiting, and ending what waits ----

  /// The value of a mailbox; nothing if the connection was ended meanwhile. What is gathered goes out before a wait.
  template <typename Value>
  Awaitable<std::optional<Value>> receive(std::shared_ptr<Mailbox<Value>> box) {
    if (!box->is_ready()) {
      if (!out_.empty()) co_await flush();
      phase_ = Phase::handling;
      while (!is_aborted_ && !box->ready_or_arm(make_wake_up())) co_await park();
    }
    if (!is_aborted_) co_return box->take();
    box->detach();
    co_return std::nullopt;
  }

  std::function<void()> make_wake_up() {
    return [loop = loop_, weak = weak_from_this()] {
      loop->post([weak] {
        if (const auto self = weak.lock()) self->wake();
      });
    };
  }

  Awaitable<void> park() {
    auto initiate = [this](auto handler) {
      parked_ = std::make_unique<ParkedHandler<decltype(handler)>>(std::move(handler));
    };
    return asio::async_initiate<const UseLoop, void()>(std::move(initiate), UseLoop());
  }

  void wake() {
    if (const auto parked = std::move(parked_)) parked->resume();
  }

  /// The head's time counts from its first byte, so staying in a phase does not renew it.
  void enter(Phase phase) {
    if (phase_ == phase) return;
    phase_ = phase;
    phase_since_ = loop_->coarse_now();
  }

  void stop_reading() {
    is_closing_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
  void time_out() {
    is_timed_out_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  bool has_bytes_waiting() {
    if (tls_ && tls_->has_buffered()) return true;
    char byte;
    return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  /// A reset ends the work at once; a FIN after a grace, because a peer that only closed its sending side waits for us.
  void look_after_peer(std::chrono::nanoseconds now) {
    pollfd watch{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
    if (::poll(&watch, 1, 0) <= 0) return;
    if (!fin_seen_) fin_seen_ = now;
    if ((watch.revents & (POLLERR | POLLHUP)) != 0 || now - *fin_seen_ >= limits_.half_close_grace) stop_hard();
  }

  // Fixed after construction.
  const std::shared_ptr<ServerCore> core_;
  const std::shared_ptr<Loop> loop_;  // owns the context of socket_
  LoopMetrics& metrics_;              // of core_->metrics
  const ServerLimits& limits_;        // of core_
  const AcceptedSocket accepted_;
  const bool varies_by_origin_;  // another origin's page might be told otherwise

  Socket socket_;
  std::unique_ptr<TlsStream> tls_;  // on socket_; null: without TLS
  RequestReader reader_;
  Exchange exchange_;                                 // of the request being read or answered
  std::string out_;                                   // replies not written yet
  std::shared_ptr<Mailbox<HttpResponse>> reply_box_;  // of the handler at work
  HttpResponse reply_;                                // the last one taken from there
  BodyFraming framing_ = BodyFraming::sized;          // of the reply under way
  bool is_rest_waiting_ = false;                      // and its body must follow: send_rest
  CancelToken cancel_;
  std::unique_ptr<ParkedCoroutine> parked_;
  Phase phase_ = Phase::idle;
  std::chrono::nanoseconds phase_since_;
  std::chrono::nanoseconds body_since_{0};
  std::optional<std::chrono::nanoseconds> fin_seen_;
  std::shared_ptr<AccessWatch> watch_;       // while a stream is open whose caller showed a credential
  std::unique_ptr<WebSocketIo> web_socket_;  // once it became one
  bool is_closing_ = false;                  // take no further request
  bool is_aborted_ = false;                  // write nothing more either
  bool is_timed_out_ = false;                // the read was ended by `sweep`
  bool needs_linger_ = false;
  bool is_read_cancelled_ = false;  // of the WebSocket
  bool is_cut_ = false;             // a reply has no end: nothing may look like one
  std::array<char, 4096> scratch_{};
};

}  // namespace

void serve_connection(std::shared_ptr<ServerCore> core, std::shared_ptr<Loop> loop, LoopMetrics& metrics,
                      AcceptedSocket accepted) {
  auto connection = std::make_shared<Connection>(std::move(core), std::move(loop), metrics, std::move(accepted));
  const Executor executor = connection->executor();
  asio::co_spawn(executor, Connection::serve(std::move(connection)), [](std::exception_ptr fault) {
    if (fault) log(LogLevel::error, "server", "a connection ended by an exception");
  });
}

}  // namespace dendro
