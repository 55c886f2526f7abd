#include "server/chunk_decoder.h"

#include <algorithm>
#include <optional>

#include "server/http_text.h"

namespace dendro {
namespace {

/// 15 hexadecimal digits stay far below 2^64; leading zeros count, nobody writes so many.
constexpr int kSizeDigitsMax = 15;

std::optional<unsigned> chunk_size_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

}  // namespace

ChunkDecoder::Event ChunkDecoder::feed(std::string_view& bytes, std::string* body) {
  while (true) {
    switch (state_) {
      case State::complete:
        return Event::complete;
      case State::malformed:
        return Event::malformed;
      case State::too_large:
        return Event::too_large;
      default:
        break;
    }
    if (bytes.empty()) return Event::need_more;
    if (state_ == State::data) {
      take_data(bytes, body);
    } else {
      state_ = step(bytes.front());
      bytes.remove_prefix(1);
    }
  }
}

void ChunkDecoder::take_data(std::string_view& bytes, std::string* body) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_rest_, bytes.size()));
  if (body != nullptr) body->append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  body_bytes_ += count;
  chunk_rest_ -= count;
  if (chunk_rest_ == 0) state_ = State::data_return;
}

ChunkDecoder::State ChunkDecoder::step_size(char c) {
  if (const auto digit = chunk_size_digit(c)) {
    if (++size_digits_ > kSizeDigitsMax) return State::malformed;
    chunk_rest_ = chunk_rest_ * 16 + *digit;
    return State::size;
  }
  if (state_ == State::size_first) return State::malformed;
  if (c == ';') return State::extension;
  return c == '\r' ? State::size_feed : State::malformed;
}

/// Text up to a carriage return.
ChunkDecoder::State ChunkDecoder::step_text(char c, State here, State behind) {
  if (c == '\r') return behind;
  if (is_control(c)) return State::malformed;
  return ++line_bytes_ > line_bytes_max_ ? State::too_large : here;
}

ChunkDecoder::State ChunkDecoder::step(char c) {
  switch (state_) {
    case State::size_first:
      chunk_rest_ = 0;
      size_digits_ = 0;
      line_bytes_ = 0;
      return step_size(c);
    case State::size:
      return step_size(c);
    case State::extension:
      return step_text(c, State::extension, State::size_feed);
    case State::size_feed:
      if (c != '\n') return State::malformed;
      return chunk_rest_ > 0 ? State::data : State::trailer_first;
    case State::data_return:
      return c == '\r' ? State::data_feed : State::malformed;
    case State::data_feed:
      return c == '\n' ? State::size_first : State::malformed;
    case State::trailer_first:
      if (c == '\r') return State::last_feed;
      return is_token_char(c) ? step_text(c, State::trailer_name, State::malformed) : State::malformed;
    case State::trailer_name:
      if (c == ':') return State::trailer_value;
      return is_token_char(c) ? step_text(c, State::trailer_name, State::malformed) : State::malformed;
    case State::trailer_value:
      return step_text(c, State::trailer_value, State::trailer_feed);
    case State::trailer_feed:
      return c == '\n' ? State::trailer_first : State::malformed;
    case State::last_feed:
      return c == '\n' ? State::complete : State::malformed;
    case State::data:
    case State::complete:
    case State::malformed:
    case State::too_large:
      break;
  }
  return state_;
}

}  // namespace dendro
