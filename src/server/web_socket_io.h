#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/loop.h"
#include "server/web_socket_link.h"

namespace dendro {

/// The socket under a WebSocket, as WebSocketIo uses it: one read and one write at a time. All calls come on the loop's
/// thread, and none is answered before it returned.
class WebSocketWire {
 public:
  virtual ~WebSocketWire() = default;
  /// Answered by WebSocketIo::received.
  virtual void start_read() = 0;
  /// Ends the read; it is answered all the same.
  virtual void cancel_read() = 0;
  /// Writes some of `bytes`, which stay where they are until WebSocketIo::written answers.
  virtual void start_write(std::string_view bytes) = 0;
  /// A write failed: everything goes at once.
  virtual void drop() = 0;
  /// WebSocketIo::is_over() is true now.
  virtual void io_is_over() = 0;
};

/// Moves bytes between a WebSocketLink and its wire: reads for the link until either is over, writes what the link
/// gives beside that. On the loop's thread.
///
/// States: open -> over once the link is over and all it gave is written, or the wire broke.
class WebSocketIo {
 public:
  /// `wire` outlives this, and this outlives the answers of the wire.
  WebSocketIo(std::shared_ptr<Loop> loop, std::shared_ptr<WebSocketHandler> handler, WebSocketWire& wire);
  WebSocketIo(const WebSocketIo&) = delete;
  WebSocketIo& operator=(const WebSocketIo&) = delete;

  /// The handshake is answered; `early` came behind it.
  void open(std::string_view early);
  void stop_softly() { link_->stop_softly(); }
  void lose_access() { link_->lose_access(); }
  /// The wire is gone, or never was.
  void end();
  bool is_over() const { return !is_reading_ && !is_writing_; }
  /// False: end the connection at once.
  bool sweep(std::chrono::nanoseconds now, std::chrono::nanoseconds write_stall_timeout);

  // What the wire answers.
  /// Nothing: the read failed or was cancelled.
  void received(std::optional<std::string_view> bytes);
  /// Nothing: the write failed.
  void written(std::optional<std::size_t> count);

 private:
  /// Reads, or says the last words of what is over.
  void read_on();
  void write_on();
  void write_rest();
  void tell_end();

  const std::shared_ptr<Loop> loop_;
  WebSocketWire& wire_;
  const std::shared_ptr<WebSocketLink> link_;
  std::string output_;
  std::size_t output_offset_ = 0;
  std::chrono::nanoseconds write_since_{0};
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool is_broken_ = false;
};

}  // namespace dendro
