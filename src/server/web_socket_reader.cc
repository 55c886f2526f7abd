#include "server/web_socket_reader.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::size_t kControlBytesMax = 125;
constexpr std::size_t kMaskBytes = 4;
/// Payload lengths that say how the real one follows (RFC 6455, 5.2).
constexpr unsigned kLength16 = 126, kLength64 = 127;
constexpr std::uint16_t kNoCloseCode = 1005;  // never on the wire

unsigned byte_at(std::string_view text, std::size_t offset) {
  return static_cast<unsigned char>(text[offset]);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

void append_big_endian(std::string& out, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i) out.push_back(static_cast<char>(number >> (8 * (i - 1)) & 0xFFU));
}

bool is_known_opcode(unsigned opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

/// What a peer may send (RFC 6455, 7.4).
bool is_valid_close_code(std::uint64_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::string unmask(std::string_view masked, std::string_view mask) {
  std::string plain(masked);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    plain[i] =
        static_cast<char>(static_cast<unsigned char>(plain[i]) ^ static_cast<unsigned char>(mask[i % kMaskBytes]));
  }
  return plain;
}

}  // namespace

void append_web_socket_frame(std::string& out, WebSocketOpcode opcode, std::string_view payload) {
  out.push_back(static_cast<char>(0x80U | static_cast<unsigned>(opcode)));
  if (payload.size() < kLength16) {
    out.push_back(static_cast<char>(payload.size()));
  } else if (payload.size() <= 0xFFFF) {
    out.push_back(static_cast<char>(kLength16));
    append_big_endian(out, payload.size(), 2);
  } else {
    out.push_back(static_cast<char>(kLength64));
    append_big_endian(out, payload.size(), 8);
  }
  out.append(payload);
}

void append_web_socket_close(std::string& out, WebSocketClose code, std::string_view reason) {
  std::string payload;
  append_big_endian(payload, static_cast<std::uint16_t>(code), 2);
  payload.append(reason.substr(0, kControlBytesMax - payload.size()));
  append_web_socket_frame(out, WebSocketOpcode::close, payload);
}

void WebSocketReader::feed(std::string_view bytes) {
  if (is_over_) return;
  if (first_ == buffer_.size()) {
    buffer_.clear();
    first_ = 0;
  } else if (first_ >= buffer_.size() / 2) {
    buffer_.erase(0, first_);
    first_ = 0;
  }
  buffer_.append(bytes);
}

WebSocketReader::Event WebSocketReader::next() {
  if (is_over_) return {};
  while (true) {
    Header header;
    Event refusal;
    switch (read_header(header, refusal)) {
      case HeaderState::incomplete:
        return {};
      case HeaderState::refused:
        return fail(static_cast<WebSocketClose>(refusal.code), std::move(refusal.payload));
      case HeaderState::complete:
        break;
    }
    if (pending().size() < header.size + header.payload) return {};
    Event event = take_frame(header);
    if (event.kind != Kind::need_more) return event;
  }
}

/// Refuses what can be refused before the payload is here, so that nobody gathers what is too large.
WebSocketReader::HeaderState WebSocketReader::read_header(Header& header, Event& refusal) const {
  const std::string_view text = pending();
  if (text.size() < 2) return HeaderState::incomplete;
  const unsigned first = byte_at(text, 0), second = byte_at(text, 1);
  const auto refuse = [&refusal](WebSocketClose code, std::string why) {
    refusal = {Kind::failed, std::move(why), static_cast<std::uint16_t>(code)};
    return HeaderState::refused;
  };
  if ((first & 0x70U) != 0) return refuse(WebSocketClose::protocol_error, "a reserved bit is set");
  if (!is_known_opcode(first & 0xFU)) return refuse(WebSocketClose::protocol_error, "unknown opcode");
  if ((second & 0x80U) == 0) return refuse(WebSocketClose::protocol_error, "frames of a client must be masked");
  header.is_last = (first & 0x80U) != 0;
  header.opcode = static_cast<WebSocketOpcode>(first & 0xFU);
  const unsigned length = second & 0x7FU;
  const std::size_t length_bytes = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
  if (header.is_control() && (length_bytes > 0 || !header.is_last)) {
    return refuse(WebSocketClose::protocol_error, "a control frame is fragmented or over 125 bytes");
  }
  if (text.size() < 2 + length_bytes) return HeaderState::incomplete;
  header.payload = length_bytes == 0 ? length : big_endian(text.substr(2, length_bytes));
  header.size = 2 + length_bytes + kMaskBytes;
  const bool is_minimal = length_bytes == 0 || header.payload >= (length_bytes == 2 ? kLength16 : 0x10000U);
  if (!is_minimal) return refuse(WebSocketClose::protocol_error, "a length is not in its shortest form");
  refusal = check_header(header);
  if (refusal.kind == Kind::failed) return HeaderState::refused;
  return text.size() < header.size ? HeaderState::incomplete : HeaderState::complete;
}

WebSocketReader::Event WebSocketReader::check_header(const Header& header) const {
  const auto refuse = [](WebSocketClose code, std::string why) {
    return Event{Kind::failed, std::move(why), static_cast<std::uint16_t>(code)};
  };
  if (header.is_control()) return {};
  if (header.opcode == WebSocketOpcode::binary)
    return refuse(WebSocketClose::unsupported, "only text messages are taken");
  if ((header.opcode == WebSocketOpcode::continuation) != in_message_) {
    return refuse(WebSocketClose::protocol_error, "fragments of messages are out of order");
  }
  if (header.payload > message_bytes_max_ - std::min(message_.size(), message_bytes_max_)) {
    return refuse(WebSocketClose::too_big, "a message is over " + std::to_string(message_bytes_max_) + " bytes");
  }
  return {};
}

WebSocketReader::Event WebSocketReader::take_frame(const Header& header) {
  const std::string_view mask = pending().substr(header.size - kMaskBytes, kMaskBytes);
  std::string payload = unmask(pending().substr(header.size, static_cast<std::size_t>(header.payload)), mask);
  first_ += header.size + static_cast<std::size_t>(header.payload);
  if (header.is_control()) return take_control(header, std::move(payload));
  in_message_ = !header.is_last;
  if (message_.empty()) {
    message_ = std::move(payload);
  } else {
    message_.append(payload);
  }
  if (in_message_) return {};
  if (!is_valid_utf8(message_)) return fail(WebSocketClose::bad_text, "a text message is not UTF-8");
  return {Kind::text, std::exchange(message_, {}), 0};
}

WebSocketReader::Event WebSocketReader::take_control(const Header& header, std::string payload) {
  if (header.opcode == WebSocketOpcode::ping) return {Kind::ping, std::move(payload), 0};
  if (header.opcode == WebSocketOpcode::pong) return {Kind::pong, {}, 0};
  is_over_ = true;
  if (payload.empty()) return {Kind::closed, {}, static_cast<std::uint16_t>(WebSocketClose::normal)};
  const std::uint64_t code = payload.size() < 2 ? kNoCloseCode : big_endian(std::string_view(payload).substr(0, 2));
  if (!is_valid_close_code(code)) return fail(WebSocketClose::protocol_error, "not a code of a close frame");
  if (!is_valid_utf8(std::string_view(payload).substr(2)))
    return fail(WebSocketClose::bad_text, "a close reason is not UTF-8");
  return {Kind::closed, {}, static_cast<std::uint16_t>(code)};
}

WebSocketReader::Event WebSocketReader::fail(WebSocketClose code, std::string text) {
  is_over_ = true;
  buffer_.clear();
  first_ = 0;
  message_.clear();
  return {Kind::failed, std::move(text), static_cast<std::uint16_t>(code)};
}

}  // namespace dendro
