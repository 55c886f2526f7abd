#include "server/routes/audit_stream_socket.h"

#include <utility>

#include "base/json_writer.h"

namespace dendro {
namespace {

/// Frames given to the connection before it says that they are taken.
constexpr std::size_t kSocketBatchBytes = std::size_t{256} << 10;
/// Messages of a client that a worker has not looked at; one more closes the connection.
constexpr std::size_t kMessagesMax = 64;

/// {"type":"connection_established",..}: five-systems.md 4.5.
std::string established_text(const TenantId& tenant, const std::string& connection_id) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("type", "connection_established");
  json.member("tenant_id", tenant.text());
  json.member("connection_id", connection_id);
  json.member("message", "Connected to log stream");
  json.end_object();
  return text;
}

std::string echo_text(const std::string& data) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("type", "echo");
  json.member("data", data);
  json.end_object();
  return text;
}

/// The filters that a client sends, or nothing: another text.
const JsonValue* filters_in(const JsonValue& message) {
  const JsonValue* const type = message.find("type");
  return type != nullptr && type->as_string() == "filters" ? message.find("filters") : nullptr;
}

WebSocketClose close_code_of_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
    case ErrorCode::invalid_argument:
      return WebSocketClose::policy;
    case ErrorCode::resource_exhausted:
      return WebSocketClose::overload;
    case ErrorCode::unavailable:
      return WebSocketClose::restart;
    default:
      return WebSocketClose::fault;
  }
}

}  // namespace

AuditStreamSocket::AuditStreamSocket(AuditStreamRequest request, std::string connection_id, WorkerPool& workers,
                                     AuditStreamHub& hub, std::string refusal)
    : request_(std::move(request)),
      connection_id_(std::move(connection_id)),
      workers_(workers),
      hub_(hub),
      refusal_(std::move(refusal)) {}

void AuditStreamSocket::opened(std::shared_ptr<WebSocketOut> out) {
  {
    MutexLock lock(mutex_);
    out_ = std::move(out);
  }
  if (!refusal_.empty()) return end(WebSocketClose::policy, refusal_);
  if (has_failed_) return end(WebSocketClose::fault, {});
  auto task = [self = shared_from_this()] { self->begin(); };
  if (!workers_.submit(std::move(task))) end(WebSocketClose::overload, "busy");
}

/// On a worker: where the stream begins is fixed before its reader hears that it does.
void AuditStreamSocket::begin() {
  auto session = hub_.open(request_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
  if (!session) {
    const ErrorCode code = session.error().code();
    const WebSocketClose close = close_code_of_error(code);
    return end(close, close == WebSocketClose::fault ? std::string() : session.error().message());
  }
  std::shared_ptr<AuditStreamSession> unwanted;
  {
    MutexLock lock(mutex_);
    if (state_ == State::opening) {
      state_ = State::running;
      session_ = *session;
      is_sending_ = true;
      out_->send(established_text(request_.tenant, connection_id_));
    } else {
      unwanted = *session;
    }
  }
  if (unwanted != nullptr) return unwanted->close();
  take_messages();
}

/// Hands waiting frames to the connection unless it still has some.
void AuditStreamSocket::pump() {
  MutexLock lock(mutex_);
  if (state_ != State::running || is_sending_) return;
  const auto frames = session_->take(kSocketBatchBytes);
  for (const auto& frame : frames) out_->send(*frame);
  is_sending_ = !frames.empty();
  if (frames.empty() && session_->has_failed()) end_locked(WebSocketClose::fault, {});
}

void AuditStreamSocket::drained() {
  {
    MutexLock lock(mutex_);
    is_sending_ = false;
  }
  pump();
}

/// On a worker, one after the other: filters may have words to search for, and those become regular expressions.
void AuditStreamSocket::message(std::string text) {
  MutexLock lock(mutex_);
  if (state_ != State::opening && state_ != State::running) return;
  if (messages_.size() == kMessagesMax) return end_locked(WebSocketClose::overload, "too many messages");
  messages_.push_back(std::move(text));
  if (std::exchange(is_taking_, true)) return;
  if (!workers_.submit([self = shared_from_this()] { self->take_messages(); })) {
    end_locked(WebSocketClose::overload, "busy");
  }
}

void AuditStreamSocket::take_messages() {
  for (;;) {
    std::string text;
    {
      MutexLock lock(mutex_);
      is_taking_ = !messages_.empty();
      if (!is_taking_) return;
      text = std::move(messages_.front());
      messages_.pop_front();
    }
    take_message(text);
  }
}

void AuditStreamSocket::take_message(const std::string& text) {
  const auto json = parse_json_document(text);
  const JsonValue* const filters = json ? filters_in(*json) : nullptr;
  if (filters != nullptr) return take_filters(*filters);
  MutexLock lock(mutex_);
  if (state_ == State::running) out_->send(echo_text(text));
}

void AuditStreamSocket::take_filters(const JsonValue& filters) {
  FieldFaults faults;
  AuditFilter filter = read_audit_filter(filters, faults);
  if (!faults.empty()) return end(WebSocketClose::policy, "filters: " + faults.front().message);
  std::shared_ptr<AuditStreamSession> session;
  {
    MutexLock lock(mutex_);
    session = session_;
  }
  if (session != nullptr) session->set_filter(std::move(filter));
}

void AuditStreamSocket::stopping() {
  end(WebSocketClose::restart, {});
}

void AuditStreamSocket::access_lost() {
  end(WebSocketClose::policy, "Token has expired or been revoked");
}

void AuditStreamSocket::closed() {
  std::shared_ptr<AuditStreamSession> session;
  {
    MutexLock lock(mutex_);
    state_ = State::closed;
    out_ = nullptr;
    session = std::exchange(session_, nullptr);
  }
  if (session != nullptr) session->close();
}

void AuditStreamSocket::end(WebSocketClose code, std::string reason) {
  MutexLock lock(mutex_);
  end_locked(code, std::move(reason));
}

void AuditStreamSocket::end_locked(WebSocketClose code, std::string reason) {
  if (state_ == State::ending || state_ == State::closed) return;
  state_ = State::ending;
  out_->close(code, std::move(reason));
}

}  // namespace dendro
