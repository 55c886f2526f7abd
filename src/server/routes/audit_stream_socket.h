#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>

#include "base/json_document.h"
#include "base/worker_pool.h"
#include "server/http_message.h"
#include "server/web_socket.h"
#include "services/audit/audit_stream_hub.h"

namespace dendro {

/// A reader of the stream as a WebSocket (five-systems.md 4.5). A browser sees nothing of a refused handshake, so what
/// is wrong closes the connection: 1008 a refusal, 1011 a fault, 1012 a restart, 1013 too many streams.
///
/// States: opening -> running -> ending (our close frame is sent); any -> closed.
class AuditStreamSocket final : public WebSocketHandler, public std::enable_shared_from_this<AuditStreamSocket> {
 public:
  /// @param refusal  why the reader gets nothing; empty: it is served.
  AuditStreamSocket(AuditStreamRequest request, std::string connection_id, WorkerPool& workers, AuditStreamHub& hub,
                    std::string refusal);

  /// Before the connection is handed over: it will be closed with 1011.
  void fail() { has_failed_ = true; }

  void opened(std::shared_ptr<WebSocketOut> out) override;
  void message(std::string text) override;
  void drained() override;
  void stopping() override;
  void access_lost() override;
  void closed() override;

 private:
  enum class State : std::uint8_t { opening, running, ending, closed };
  void begin();
  void pump();
  void take_messages();
  void take_message(const std::string& text);
  void take_filters(const JsonValue& filters);
  void end(WebSocketClose code, std::string reason);
  void end_locked(WebSocketClose code, std::string reason) DENDRO_REQUIRES(mutex_);

  // Fixed after construction.
  const AuditStreamRequest request_;
  const std::string connection_id_;
  WorkerPool& workers_;
  AuditStreamHub& hub_;
  const std::string refusal_;
  std::atomic<bool> has_failed_{false};

  Mutex mutex_;
  State state_ DENDRO_GUARDED_BY(mutex_) = State::opening;
  std::shared_ptr<WebSocketOut> out_ DENDRO_GUARDED_BY(mutex_);
  std::shared_ptr<AuditStreamSession> session_ DENDRO_GUARDED_BY(mutex_);
  std::deque<std::string> messages_ DENDRO_GUARDED_BY(mutex_);  ///< of the client, not yet looked at
  bool is_taking_ DENDRO_GUARDED_BY(mutex_) = true;             ///< a worker looks at them, or will
  bool is_sending_ DENDRO_GUARDED_BY(mutex_) = false;           ///< until drained()
};

}  // namespace dendro
