#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/decompress.h"
#include "server/http_message.h"

namespace dendro {

/// The head of a request that passed every check of stack.md 3.3.
struct RequestHead {
  std::string method;
  std::string target;     ///< as sent
  std::string path;       ///< of an absolute-form target its path; "*" of OPTIONS *
  std::string query;      ///< behind "?", as sent
  std::string authority;  ///< the target's if it is absolute, else Host; empty only in HTTP/1.0
  HttpHeaders headers;
  std::optional<std::uint64_t> content_length;
  bool is_chunked = false;
  bool is_http_1_0 = false;
  bool is_keep_alive = true;
  bool expects_continue = false;
  Packing packing = Packing::plain;

  bool has_body() const { return is_chunked || content_length.value_or(0) > 0; }
};

/// Cuts the bytes of one connection into requests. Knows no socket, no time and no route, so that it is tested and
/// fuzzed alone. Not thread-safe.
///
/// States: head -> (head complete) -> planned -> body -> head ...; refused is final. `next` moves it, on the bytes that
/// `commit` added; after `head` the owner must say by `start_body` what to do with the body.
class RequestReader {
 public:
  enum class Event : std::uint8_t {
    need_more,  ///< commit more bytes
    head,       ///< a head is complete: `head()` is valid until the next request begins; call `start_body`
    complete,   ///< so is its body: `take_body()`; the next call of `next` begins the next request
    refused,    ///< answer `refusal()` and close
  };
  struct Refusal {
    int status = 400;
    std::string detail;
  };
  struct BodyPlan {
    std::uint64_t bytes_max = 0;  ///< as they come in, before unpacking; over it: refused with 413
    bool discard = false;         ///< count them, do not keep them
  };

  explicit RequestReader(std::size_t head_bytes_max);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Room for more bytes, never empty after `need_more`; valid until the next call of anything here.
  std::span<char> prepare();
  /// The first `count` bytes of that room were filled.
  void commit(std::size_t count);

  Event next();

  /// Valid after `head`, until the event after `complete`. The owner may move parts out.
  RequestHead& head();
  void start_body(BodyPlan plan);
  /// Body bytes so far, after Transfer-Encoding.
  std::uint64_t body_bytes() const;
  std::string take_body();
  /// Bytes behind the last request: of whatever the connection speaks from now on.
  std::string take_rest();
  const Refusal& refusal() const;

  /// Nothing of a next request has come in yet.
  bool is_between_requests() const;
  /// A head is not whole yet, but some of it is here.
  bool is_within_head() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dendro
