#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/loop.h"
#include "server/web_socket.h"

namespace dendro {

/// The protocol of one WebSocket between its handler and whoever moves the bytes: messages, pings, the closing
/// handshake. Knows no socket. On the loop's thread.
///
/// States: open -> closing (we sent a close frame and wait for the peer's) -> over; open -> over (the peer closed
/// first: its frame is answered). `over` means: write what is left, then end the connection.
class WebSocketLink : public std::enable_shared_from_this<WebSocketLink> {
 public:
  /// `has_output` is called when there is something to write, or the link is over.
  WebSocketLink(std::shared_ptr<Loop> loop, std::shared_ptr<WebSocketHandler> handler,
                std::function<void()> has_output);
  WebSocketLink(const WebSocketLink&) = delete;
  WebSocketLink& operator=(const WebSocketLink&) = delete;

  void open(std::chrono::nanoseconds now);
  /// Bytes of the peer.
  void receive(std::string_view bytes, std::chrono::nanoseconds now);
  /// Bytes for the peer, all there are.
  std::string take_output();
  /// What take_output gave is written.
  void output_written();
  /// Pings; gives up a peer that is silent or does not close. False: end the connection at once.
  bool sweep(std::chrono::nanoseconds now);
  /// The server stops.
  void stop_softly();
  /// The caller may not go on.
  void lose_access();
  bool is_over() const { return state_ == State::over; }
  /// The connection is gone. Nothing is called after it.
  void end();

  // What WebSocketOut asks for.
  void send(std::string_view text);
  void close(WebSocketClose code, std::string_view reason);

 private:
  enum class State : std::uint8_t { open, closing, over };
  void take(WebSocketReader::Event event);
  void become(State state);

  const std::shared_ptr<Loop> loop_;
  std::shared_ptr<WebSocketHandler> handler_;  // null once the link ended
  std::function<void()> has_output_;
  WebSocketReader reader_;
  std::string output_;
  State state_ = State::open;
  bool owes_drained_ = false;  // a message was queued since the handler heard drained()
  std::chrono::nanoseconds last_heard_{0}, last_ping_{0}, state_since_{0};
};

}  // namespace dendro
