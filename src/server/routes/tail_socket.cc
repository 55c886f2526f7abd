// States: waiting (no `start` came yet) -> following -> ending (an `end` frame and a close frame are on their way);
// closed (the connection is gone) from any of them. A further `start` while following begins the next epoch.
#include "server/routes/tail_socket.h"

#include <utility>

#include "base/json_document.h"
#include "base/mutex.h"
#include "server/access_gate.h"
#include "server/route.h"
#include "server/routes/caller_restriction.h"
#include "server/routes/query_problem.h"
#include "server/use_recording.h"

namespace dendro {
namespace {

WebSocketClose close_code_of(TailEnd reason) {
  switch (reason) {
    case TailEnd::signed_out:
    case TailEnd::forbidden:
      return WebSocketClose::policy;
    case TailEnd::shutdown:
      return WebSocketClose::restart;
    case TailEnd::error:
      return WebSocketClose::fault;
    case TailEnd::bad_query:
    case TailEnd::limit:
      break;
  }
  return WebSocketClose::normal;
}

/// A member that is absent or null leaves `member` as it is. False: of another kind.
bool read_start_text(const JsonValue& object, std::string_view name, std::string& member) {
  const JsonValue* value = object.find(name);
  if (value == nullptr || value->is_null()) return true;
  const auto text = value->as_string();
  if (text) member = *text;
  return text.has_value();
}
bool read_start_count(const JsonValue& object, std::string_view name, std::uint64_t& member) {
  const JsonValue* value = object.find(name);
  if (value == nullptr || value->is_null()) return true;
  const auto number = value->as_int();
  if (!number || *number < 0) return false;
  member = static_cast<std::uint64_t>(*number);
  return true;
}
bool read_start_names(const JsonValue& object, std::string_view name, std::vector<std::string>& member) {
  const JsonValue* value = object.find(name);
  if (value == nullptr || value->is_null()) return true;
  if (!value->is_array()) return false;
  for (const JsonValue& element : value->elements()) {
    const auto text = element.as_string();
    if (!text) return false;
    member.emplace_back(*text);
  }
  return true;
}

/// Errors: invalid_argument (says which member).
Status read_start(const std::string& text, TailRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue message, parse_json_document(text));
  std::string type;
  if (!message.is_object() || !read_start_text(message, "type", type) || type != "start") {
    return Error(ErrorCode::invalid_argument, "the only message of a client is an object with type \"start\"");
  }
  const auto refuse = [](const char* why) { return Error(ErrorCode::invalid_argument, why); };
  request.query = "*";
  if (!read_start_text(message, "query", request.query)) return refuse("query must be a string");
  if (!read_start_text(message, "since", request.since)) return refuse("since must be a cursor or null");
  if (!read_start_names(message, "fields", request.fields)) return refuse("fields must be a list of names");
  if (!read_start_count(message, "rows_per_s_max", request.rows_per_s_max)) {
    return refuse("rows_per_s_max must be a whole number");
  }
  if (!read_start_count(message, "clip_bytes", request.clip_bytes)) return refuse("clip_bytes must be a whole number");
  return {};
}

class TailSocket final : public WebSocketHandler, public std::enable_shared_from_this<TailSocket> {
 public:
  TailSocket(const HttpRequest& request, WorkerPool& workers, TailHub& hub,
             std::shared_ptr<const UseRecording> recording)
      : recording_(std::move(recording)),
        entry_(use_entry_of(request, "tail")),
        workers_(workers),
        hub_(hub),
        tenant_(request.tenant),
        access_(request.access),
        request_id_(request.request_id) {}

  void opened(std::shared_ptr<WebSocketOut> out) override {
    MutexLock lock(mutex_);
    out_ = std::move(out);
  }

  void message(std::string text) override {
    TailRequest request;
    request.tenant = tenant_;
    request.now = hub_.clock().now();
    {
      MutexLock lock(mutex_);
      if (state_ != State::open) return;
      request.epoch = ++epoch_;
    }
    drop_session();
    if (const Status read = read_start(text, request); !read) {
      return end(request.epoch, TailEnd::bad_query, problem_text(read.error()), WebSocketClose::normal);
    }
    if (recording_ == nullptr) return submit_start(std::move(request));
    const std::string query = request.query;
    recording_->record_query(entry_, query, [self = shared_from_this(), request](const Status& recorded) {
      if (recorded) return self->submit_start(request);
      self->end(request.epoch, TailEnd::error, self->problem_text(recorded.error()), WebSocketClose::fault);
    });
  }

  void drained() override { ask(); }

  void stopping() override {
    bool has_session = false;
    std::uint64_t epoch = 0;
    {
      MutexLock lock(mutex_);
      has_session = session_ != nullptr;
      epoch = epoch_;
    }
    // A session ends itself: the hub was told before the server.
    if (!has_session) end(epoch, TailEnd::shutdown, {}, WebSocketClose::restart);
  }

  void access_lost() override {
    std::uint64_t epoch = 0;
    {
      MutexLock lock(mutex_);
      epoch = epoch_;
    }
    end(epoch, TailEnd::signed_out, {}, WebSocketClose::policy);
    drop_session();
  }

  void closed() override {
    {
      MutexLock lock(mutex_);
      state_ = State::closed;
      out_ = nullptr;
    }
    drop_session();
  }

 private:
  enum class State : std::uint8_t { open, ending, closed };

  void submit_start(TailRequest request) {
    auto task = [self = shared_from_this(), request] { self->start(request); };
    if (const Status queued = workers_.submit(std::move(task)); !queued) {
      end(request.epoch, TailEnd::error, problem_text(queued.error()), WebSocketClose::overload);
    }
  }

  /// On a worker.
  void start(TailRequest request) {
    auto restriction = restriction_of(access_.get(), request.now, request_id_);
    if (!restriction) {
      return end(request.epoch, TailEnd::forbidden, problem_text(restriction.error()), WebSocketClose::policy);
    }
    request.restriction = std::move(*restriction);
    QueryFault fault;
    auto session = hub_.open(request, fault);
    if (!session) return refuse_start(request.epoch, session.error(), fault);
    {
      MutexLock lock(mutex_);
      if (state_ == State::open && epoch_ == request.epoch) {
        session_ = *session;
        is_asking_ = false;
        session->reset();
      }
    }
    // Meanwhile another `start` came, or the reader left.
    if (*session != nullptr) return (*session)->close();
    ask();
  }

  void refuse_start(std::uint64_t epoch, const Error& error, const QueryFault& fault) {
    const bool is_fault = !fault.message.empty();
    std::string problem = is_fault ? query_problem(fault, request_id_).body : problem_text(error);
    switch (error.code()) {
      case ErrorCode::resource_exhausted:
        return end(epoch, TailEnd::limit, std::move(problem), WebSocketClose::overload);
      case ErrorCode::unavailable:
        return end(epoch, TailEnd::shutdown, {}, WebSocketClose::restart);
      case ErrorCode::invalid_argument:
      case ErrorCode::unimplemented:
      case ErrorCode::too_large:
        return end(epoch, TailEnd::bad_query, std::move(problem), WebSocketClose::normal);
      default:
        return end(epoch, TailEnd::error, std::move(problem), WebSocketClose::fault);
    }
  }

  std::string problem_text(const Error& error) const {
    return error_response(ErrorShape::problem, error, request_id_).body;
  }

  /// Asks the session for its next frame unless it was asked already.
  void ask() {
    std::shared_ptr<TailSession> session;
    {
      MutexLock lock(mutex_);
      if (state_ != State::open || session_ == nullptr || is_asking_) return;
      is_asking_ = true;
      session = session_;
    }
    session->next([weak = weak_from_this(), epoch = session->epoch()](TailFrame frame) {
      if (const auto self = weak.lock()) self->hand_on(epoch, frame);
    });
  }

  /// On a worker.
  void hand_on(std::uint64_t epoch, const TailFrame& frame) {
    if (frame.kind == TailFrame::Kind::end) {
      drop_session_of(epoch);
      const WebSocketClose code = close_code_of(frame.end);
      return send_last(epoch, tail_frame_json(frame), code);
    }
    MutexLock lock(mutex_);
    if (state_ != State::open || epoch_ != epoch) return;
    is_asking_ = false;
    out_->send(tail_frame_json(frame));
  }

  void end(std::uint64_t epoch, TailEnd reason, std::string problem, WebSocketClose code) {
    TailFrame frame = make_tail_end(reason, epoch, std::move(problem));
    if (code == WebSocketClose::overload && frame.retry_after_ms == 0) frame.retry_after_ms = kOverloadRetryMs;
    send_last(epoch, tail_frame_json(frame), code);
  }

  void send_last(std::uint64_t epoch, std::string text, WebSocketClose code) {
    MutexLock lock(mutex_);
    if (state_ != State::open || epoch_ != epoch || out_ == nullptr) return;
    state_ = State::ending;
    out_->send(std::move(text));
    out_->close(code, {});
  }

  void drop_session() {
    std::shared_ptr<TailSession> session;
    {
      MutexLock lock(mutex_);
      session = std::exchange(session_, nullptr);
    }
    if (session != nullptr) session->close();
  }
  void drop_session_of(std::uint64_t epoch) {
    std::shared_ptr<TailSession> session;
    {
      MutexLock lock(mutex_);
      if (epoch_ == epoch) session = std::exchange(session_, nullptr);
    }
    if (session != nullptr) session->close();
  }

  static constexpr std::int64_t kOverloadRetryMs = 5'000;

  // Fixed after construction.
  const std::shared_ptr<const UseRecording> recording_;  // null: what is asked is not recorded
  const AccessEntry entry_;                              // of each question
  WorkerPool& workers_;
  TailHub& hub_;
  const TenantId tenant_;
  const std::shared_ptr<const Access> access_;  // null: nobody is asked
  const std::string request_id_;

  Mutex mutex_;
  State state_ DENDRO_GUARDED_BY(mutex_) = State::open;
  std::shared_ptr<WebSocketOut> out_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t epoch_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<TailSession> session_ DENDRO_GUARDED_BY(mutex_);
  bool is_asking_ DENDRO_GUARDED_BY(mutex_) = false;
};

/// Says why the caller gets nothing, and closes.
class RefusedTailSocket final : public WebSocketHandler {
 public:
  explicit RefusedTailSocket(std::string end_frame) : end_frame_(std::move(end_frame)) {}
  void opened(std::shared_ptr<WebSocketOut> out) override {
    out->send(std::move(end_frame_));
    out->close(WebSocketClose::policy, {});
  }
  void message(std::string) override {}
  void drained() override {}
  void stopping() override {}
  void access_lost() override {}
  void closed() override {}

 private:
  std::string end_frame_;
};

}  // namespace

std::shared_ptr<WebSocketHandler> make_refused_tail_socket(const HttpRequest& request, const GateRefusal& refusal) {
  const TailEnd reason = refusal.status == 401 ? TailEnd::signed_out : TailEnd::forbidden;
  std::string problem = refusal_response(ErrorShape::problem, refusal, request.request_id).body;
  return std::make_shared<RefusedTailSocket>(tail_frame_json(make_tail_end(reason, 0, std::move(problem))));
}

std::shared_ptr<WebSocketHandler> make_tail_socket(const HttpRequest& request, WorkerPool& workers, TailHub& hub,
                                                   std::shared_ptr<const UseRecording> recording) {
  return std::make_shared<TailSocket>(request, workers, hub, std::move(recording));
}

}  // namespace dendro
