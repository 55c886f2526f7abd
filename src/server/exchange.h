#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/access_gate.h"
#include "server/cors.h"
#include "server/http_message.h"
#include "server/mailbox.h"
#include "server/request_reader.h"
#include "server/server_core.h"

namespace dendro {

/// One request from its head to its reply: what was decided about it. Of the loop's thread.
struct Exchange {
  const Route* route = nullptr;
  std::string request_id;
  ErrorShape shape = ErrorShape::problem;
  CorsGrant cors;
  Wire wire = Wire::loopback;
  bool is_head_method = false;
  bool is_http_1_0 = false;
  bool keep_alive = true;
  std::optional<HttpResponse> early_reply;  ///< decided at the head: no handler runs
  /// A caller whom nobody here knows yet: ask the authenticator, then `admit_exchange`.
  bool awaits_principal = false;
  std::optional<Credential> credential;       ///< what the caller showed, on routes that ask
  PrincipalPtr principal;                     ///< once it passed
  Passage passage;                            ///< what it got
  std::optional<GateRefusal> said_in_socket;  ///< a refusal that the WebSocket itself tells
  RequestReader::BodyPlan body_plan;
  std::vector<std::pair<std::string, std::string>> path_params;
  ByteLease lease;

  /// Index in the route table for the metrics; its size where none answers.
  std::size_t route_index(const RouteTable& routes) const;
};

/// The client's X-Request-ID if it is 1-128 visible ASCII characters (five-systems.md 1.5).
std::optional<std::string> client_request_id(const HttpHeaders& headers);

/// Judges a head: the gate, the route, the caller if it is known, the limits, the room for its body.
Exchange begin_exchange(ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head,
                        std::string request_id);
/// The same from where `begin_exchange` had to wait for the authenticator.
void admit_exchange(const ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head,
                    Exchange& exchange, const Result<PrincipalPtr>& principal);

/// An error before or beside any handler, in the exchange's shape.
HttpResponse exchange_error(const Exchange& exchange, int status, std::string_view detail);
/// "too_large" of 413, for errors that begin as a status.
std::string_view code_of_status(int status);

/// Makes the handler's view of a request, taking the parts out of `head`. The request carries the lease of its body.
std::shared_ptr<HttpRequest> make_request(Exchange& exchange, RequestHead& head, std::string body);

/// A responder that puts the first response into `box`, or kDroppedStatus if the handler drops all copies of it unused.
/// Thread-safe.
Responder make_responder(std::shared_ptr<Mailbox<HttpResponse>> box);
/// Status of a response that no handler made.
inline constexpr int kDroppedStatus = 0;

}  // namespace dendro
