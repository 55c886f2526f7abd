#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// A reply as it came over the wire.
struct RawReply {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string head;                           // as sent
  std::string body;                           // after Transfer-Encoding
  bool is_whole = false;                      // false: the connection ended before the body did

  std::string field(const std::string& name) const;
};

/// A blocking TCP client that speaks bytes. Every wait ends after ten seconds and then fails the test that runs.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const std::string& address = "127.0.0.1");
  virtual ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool is_connected() const { return fd_ >= 0; }
  /// Writes all of it; false if the peer closed.
  bool send(std::string_view bytes);
  /// Closes our sending side only.
  void half_close();
  /// Closes with a reset.
  void reset();
  void close();
  /// The next reply; `to_head` of a HEAD request has no body.
  RawReply read_reply(bool to_head = false);
  /// The next head alone, body bytes stay.
  RawReply read_head();
  /// At least one more byte of what follows the head, unframed; empty at the end of the connection.
  std::string read_some();
  /// True if the peer closes (or resets) without sending more.
  bool is_closed_by_peer();

  /// send + read_reply.
  RawReply ask(std::string_view bytes);

 protected:
  /// As recv and send, for what lies over TCP.
  virtual ssize_t receive_bytes(char* out, std::size_t size);
  virtual ssize_t send_bytes(const char* bytes, std::size_t size);
  int fd() const { return fd_; }

 private:
  bool fill();
  bool read_until(std::string_view mark, std::string& out);
  bool read_count(std::size_t count, std::string& out);
  bool read_chunks(std::string& out);

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace dendro
