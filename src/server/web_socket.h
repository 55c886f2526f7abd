#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/web_socket_reader.h"

namespace dendro {

/// The sending side of one WebSocket. Thread-safe; does nothing once the connection is gone.
class WebSocketOut {
 public:
  virtual ~WebSocketOut() = default;
  /// Queues a text message. Wait for WebSocketHandler::drained before sending much more: a connection with others
  /// waiting, and over kWebSocketOutBytesMax of all, is closed with 1013.
  virtual void send(std::string text) = 0;
  /// Ends the connection in order, behind what is queued. What comes later is dropped.
  virtual void close(WebSocketClose code, std::string reason) = 0;
};

/// What a route does with a WebSocket. All calls come on the loop's thread and must not block.
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  /// The first call: the handshake is answered.
  virtual void opened(std::shared_ptr<WebSocketOut> out) = 0;
  /// A whole text message of the peer, valid UTF-8, at most kWebSocketMessageBytesMax.
  virtual void message(std::string text) = 0;
  /// All that was sent has been taken by the system.
  virtual void drained() = 0;
  /// The server is stopping: say what is to be said and close.
  virtual void stopping() = 0;
  /// The caller's credential was revoked, changed or ran out: say what is to be said and close with `policy`.
  virtual void access_lost() = 0;
  /// The last call: the connection is over, whoever ended it.
  virtual void closed() = 0;
};

}  // namespace dendro
