#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "identity/principal.h"
#include "server/profile.h"

namespace dendro {

/// Names and values in the order they came. Lookup folds ASCII case. Small: a linear scan.
class HttpHeaders {
 public:
  void add(std::string name, std::string value) { rows_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces every row of that name by one.
  void set(std::string_view name, std::string value);
  /// The first row of that name; borrowed.
  std::optional<std::string_view> find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& rows() const { return rows_; }

 private:
  std::vector<std::pair<std::string, std::string>> rows_;
};

/// How a request's bytes came.
enum class Wire : std::uint8_t {
  loopback,  ///< plain, within this machine
  https,     ///< by TLS, or a trusted proxy says that it ended TLS
  readable,  ///< plain, from another machine: what it carries could be read on its way
};

/// What a handler sees: whole, checked and unpacked. Immutable while the handler works.
struct HttpRequest {
  std::string method;                                            ///< as sent, upper case for the known ones
  std::string target;                                            ///< as sent
  std::string path;                                              ///< before "?", not percent-decoded
  std::vector<std::pair<std::string, std::string>> query;        ///< percent-decoded, in order, "+" is a blank
  std::vector<std::pair<std::string, std::string>> path_params;  ///< by name of the route's {name}, percent-decoded
  HttpHeaders headers;
  std::string body;  ///< after Transfer-Encoding and Content-Encoding, within the route's limit
  std::uint64_t wire_body_bytes = 0;
  std::string request_id;      ///< the client's if it was 1-128 visible ASCII characters, else ours
  std::string peer_address;    ///< of the connection: an IP literal
  std::string client_address;  ///< the same, or what trusted proxies say they forwarded it for (client_address.h)
  Wire wire = Wire::loopback;
  Timestamp received;
  /// What the caller may look at and write to; already checked against its credential and the route's permission.
  TenantId tenant = TenantId::default_tenant();
  PrincipalPtr principal;                        ///< who calls; null in open mode and on routes that ask nobody
  std::shared_ptr<const Access> access;          ///< what it may do in `tenant`; null where `principal` is
  Profile profile = Profile::platform;           ///< of the listener it came in by
  ErrorShape error_shape = ErrorShape::problem;  ///< the route's, resolved for that profile: never by_profile
  CancelToken cancel;                            ///< cancelled when the peer goes away or the server stops hard

  /// The first value of a query parameter, path parameter; nothing if absent. Borrowed.
  std::optional<std::string_view> query_param(std::string_view name) const;
  std::optional<std::string_view> path_param(std::string_view name) const;
};

/// A reply body made piece by piece while the peer takes it.
class ResponseStream {
 public:
  using Piece = Result<std::optional<std::string>>;  ///< bytes; nothing = the end; an error = the reply is cut without
                                                     ///< its last chunk
  virtual ~ResponseStream() = default;
  /// Asks for the next piece. Called by a loop thread, must not block; `done` is called once, from any thread.
  /// Not called again before `done`; never after the end. Destroyed early if the peer goes.
  virtual void next(std::function<void(Piece)> done) = 0;
};

class WebSocketHandler;

struct HttpResponse {
  int status = 200;
  std::string content_type;  ///< empty: no Content-Type header
  HttpHeaders
      headers;  ///< beside those the server writes itself (Date, Content-Length, X-Request-ID, security headers)
  std::string body;
  std::unique_ptr<ResponseStream> stream;  ///< instead of `body`
  /// With status 101: has the connection from now on (web_socket_handshake.h). Its `opened` is called exactly once
  /// unless the peer is gone before.
  std::shared_ptr<WebSocketHandler> web_socket;
};

HttpResponse json_response(int status, std::string json);

/// Takes the reply of one request: exactly once, from any thread.
using Responder = std::function<void(HttpResponse)>;
/// Runs on a loop thread and must not block or take over a millisecond: what does goes through `on_workers` (route.h).
using HttpHandler = std::function<void(std::shared_ptr<const HttpRequest> request, Responder respond)>;

}  // namespace dendro
