#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

/// Takes the framing off a chunked body (RFC 9112, 7.1), strictly: lines end with CR LF, no blank beside a size,
/// trailers are fields and are dropped. The outcome does not depend on how the bytes are cut. Not thread-safe.
///
/// Our own because Beast 1.81 cannot read an empty chunked body in pieces: "0\r\n" and then "\r" runs into its
/// assertion n >= 5 (basic_parser.ipp:702).
///
/// States, in the order of the grammar; each byte moves at most one step:
///   size_first -> size -> (extension) -> size_feed -> data -> data_return -> data_feed -> size_first ...
///   size_feed of size 0 -> trailer_first -> trailer_name -> trailer_value -> trailer_feed -> trailer_first ...
///   trailer_first -> last_feed -> complete
class ChunkDecoder {
 public:
  enum class Event : std::uint8_t { need_more, complete, malformed, too_large };

  /// @param line_bytes_max  of one chunk's extension, and of all trailers together.
  explicit ChunkDecoder(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  /// Takes bytes from the front of `bytes` (all of them, unless the body ends or is refused) and appends data to
  /// `body`; a null `body` drops it. Stops behind the last line; refusals are final.
  Event feed(std::string_view& bytes, std::string* body);

  /// Data so far.
  std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension,
    size_feed,
    data,
    data_return,
    data_feed,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_feed,
    last_feed,
    complete,
    malformed,
    too_large,
  };
  void take_data(std::string_view& bytes, std::string* body);
  State step(char c);
  State step_size(char c);
  State step_text(char c, State here, State behind);

  const std::size_t line_bytes_max_;
  State state_ = State::size_first;
  std::uint64_t chunk_rest_ = 0;  // the size while it is read, then the data still to come
  int size_digits_ = 0;
  std::size_t line_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
};

}  // namespace dendro
