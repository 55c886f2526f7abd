#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

/// Status codes of a close frame (RFC 6455, 7.4.1) that we send.
enum class WebSocketClose : std::uint16_t {
  normal = 1000,
  protocol_error = 1002,
  unsupported = 1003,  ///< binary messages
  bad_text = 1007,     ///< not UTF-8
  policy = 1008,
  too_big = 1009,
  fault = 1011,
  restart = 1012,
  overload = 1013,
};

enum class WebSocketOpcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Appends one whole unmasked frame, as servers send.
void append_web_socket_frame(std::string& out, WebSocketOpcode opcode, std::string_view payload);
/// The same of a close frame; `reason` is cut to what a control frame holds.
void append_web_socket_close(std::string& out, WebSocketClose code, std::string_view reason);

/// Cuts the bytes of a client into messages. Knows no socket and no time, so that it is tested and fuzzed alone. Not
/// thread-safe.
///
/// States: header -> payload -> header ...; closed (the peer's close frame was read) and failed are final.
class WebSocketReader {
 public:
  enum class Kind : std::uint8_t {
    need_more,
    text,    ///< a whole message, however it was cut: valid UTF-8
    ping,    ///< answer with a pong of the same payload
    pong,    ///< nothing to do
    closed,  ///< the peer's close frame: answer `code`, then end
    failed,  ///< the peer broke the protocol: send a close frame with `code`, then end
  };
  struct Event {
    Kind kind = Kind::need_more;
    std::string payload;  ///< text, ping; of failed what is wrong
    std::uint16_t code = 0;
  };

  explicit WebSocketReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  /// More bytes came in.
  void feed(std::string_view bytes);
  Event next();

 private:
  struct Header {
    bool is_last = false;
    WebSocketOpcode opcode = WebSocketOpcode::text;
    std::size_t size = 0;  ///< of the header, mask included
    std::uint64_t payload = 0;
    bool is_control() const { return (static_cast<unsigned>(opcode) & 8U) != 0; }
  };
  enum class HeaderState : std::uint8_t { incomplete, complete, refused };
  HeaderState read_header(Header& header, Event& refusal) const;
  Event check_header(const Header& header) const;
  Event take_frame(const Header& header);
  Event take_control(const Header& header, std::string payload);
  Event fail(WebSocketClose code, std::string text);
  std::string_view pending() const { return std::string_view(buffer_).substr(first_); }

  const std::size_t message_bytes_max_;
  std::string buffer_;
  std::size_t first_ = 0;  // [first_, end) of buffer_ waits
  std::string message_;    // of the fragments so far
  bool in_message_ = false;
  bool is_over_ = false;
};

}  // namespace dendro
