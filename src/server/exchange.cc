#include "server/exchange.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/log.h"
#include "server/client_address.h"
#include "server/http_text.h"
#include "server/limits.h"
#include "server/redirect.h"
#include "server/request_gate.h"
#include "server/web_socket_handshake.h"

namespace dendro {
namespace {

/// 404 and 405 have a fixed text each in the shapes of the originals (five-systems.md 1.5).
std::string not_found_text(ErrorShape shape, const RequestHead& head) {
  if (shape == ErrorShape::problem) return "nothing answers at " + head.path;
  return shape == ErrorShape::detail ? "Not Found" : "Not found";
}
std::string wrong_method_text(ErrorShape shape, const RequestHead& head) {
  if (shape == ErrorShape::problem) return head.method + " is not a method of " + head.path;
  return shape == ErrorShape::detail ? "Method Not Allowed" : "Method not allowed";
}

HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  return response;
}

/// The reply of a request that no row answers.
HttpResponse reply_without_route(const Exchange& exchange, const RequestHead& head, const Router::Match& match) {
  const bool asks_before = head.method == "OPTIONS" && exchange.cors.kind != CorsGrant::Kind::none;
  if (asks_before && !match.allow.empty()) return preflight_reply(exchange.cors, match.allow);
  if (head.path == "*") return no_content();
  if (match.allow.empty()) return exchange_error(exchange, 404, not_found_text(exchange.shape, head));
  HttpResponse response = exchange_error(exchange, 405, wrong_method_text(exchange.shape, head));
  response.headers.add("Allow", match.allow);
  return response;
}

/// The reply of a listener `redirect`.
HttpResponse lead_to_tls(const ServerCore& core, const Peer& peer, const RequestHead& head, const Exchange& exchange) {
  auto place = place_over_tls(core.options, core.tls_port, peer, head);
  if (auto* refusal = std::get_if<GateRefusal>(&place)) {
    return refusal_response(exchange.shape, *refusal, exchange.request_id);
  }
  HttpResponse response;
  response.status = 308;
  response.headers.add("Location", std::get<std::string>(place));
  return response;
}

/// Plans a body that nobody wants: read away if that is cheap, else the connection ends behind the reply.
void plan_discard(Exchange& exchange, const RequestHead& head) {
  exchange.body_plan = {.bytes_max = kDiscardBodyBytesMax, .discard = true};
  const bool waits_for_continue = head.expects_continue && head.has_body();
  if (waits_for_continue || head.content_length.value_or(0) > kDiscardBodyBytesMax) exchange.keep_alive = false;
}

void plan_body(const ServerCore& core, Exchange& exchange, const RequestHead& head) {
  const std::uint64_t bytes_max = exchange.route->body_bytes_max;
  exchange.body_plan = {.bytes_max = bytes_max};
  const std::uint64_t announced = head.content_length.value_or(head.is_chunked ? kByteLeaseStepBytes : 0);
  if (head.content_length && announced > bytes_max) {
    exchange.early_reply =
        exchange_error(exchange, 413, "the request's body is over " + std::to_string(bytes_max) + " bytes");
    return;
  }
  exchange.lease = ByteLease(core.budget);
  if (exchange.lease.grow_to(announced)) return;
  exchange.early_reply = exchange_error(exchange, 429, "too many request bodies are being handled: retry later");
}

/// Tells who hears of refusals: 401 and 403 only, the others say nothing about who may what.
void report_refusal(const ServerCore& core, const Peer& peer, const RequestHead& head, const Exchange& exchange,
                    const Principal* principal, const GateRefusal& refusal) {
  if (!core.access.hear_refusal || (refusal.status != 401 && refusal.status != 403)) return;
  core.access.hear_refusal({*exchange.route, head, principal, refusal, exchange.request_id, peer.address,
                            client_address(core.options.trusted_proxies, peer.address, head.headers)});
}

void turn_away(const ServerCore& core, const Peer& peer, const RequestHead& head, Exchange& exchange,
               const Principal* principal, GateRefusal refusal) {
  report_refusal(core, peer, head, exchange, principal, refusal);
  if (exchange.route->refuse_web_socket && asks_for_web_socket(head.headers)) {
    exchange.said_in_socket = std::move(refusal);
    plan_body(core, exchange, head);
    return;
  }
  exchange.early_reply = refusal_response(exchange.shape, refusal, exchange.request_id);
}

void pass_open(const ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head, Exchange& exchange) {
  if (auto refusal = refuse_open_tenant(profile, head)) {
    return turn_away(core, peer, head, exchange, nullptr, std::move(*refusal));
  }
  plan_body(core, exchange, head);
}

void pass_known(const ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head, Exchange& exchange,
                const PrincipalPtr& principal) {
  auto passage = admit(core.access, profile, head, *exchange.route, principal);
  if (auto* refusal = std::get_if<GateRefusal>(&passage)) {
    return turn_away(core, peer, head, exchange, principal.get(), std::move(*refusal));
  }
  exchange.principal = principal;
  exchange.passage = std::get<Passage>(std::move(passage));
  plan_body(core, exchange, head);
}

void ask_caller(ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head, Exchange& exchange) {
  auto shown = demand_credential(core.options, peer, head);
  if (auto* refusal = std::get_if<GateRefusal>(&shown)) {
    return turn_away(core, peer, head, exchange, nullptr, std::move(*refusal));
  }
  if (exchange.wire == Wire::readable && !core.warned_of_readable_credential.exchange(true)) {
    log(LogLevel::warning, "server", "credentials come over plain HTTP, readable on their way: use TLS");
  }
  exchange.credential = std::get<Credential>(std::move(shown));
  if (const auto known = core.access.authenticator->known(*exchange.credential)) {
    pass_known(core, profile, peer, head, exchange, *known);
  } else {
    exchange.awaits_principal = true;
  }
}

/// An HttpRequest and the share of the body budget that lives as long.
struct LeasedRequest {
  HttpRequest request;
  ByteLease lease;
};

/// Lives as long as any copy of a responder.
class ResponderState {
 public:
  explicit ResponderState(std::shared_ptr<Mailbox<HttpResponse>> box) : box_(std::move(box)) {}
  ResponderState(const ResponderState&) = delete;
  ResponderState& operator=(const ResponderState&) = delete;
  ~ResponderState() {
    if (is_used_) return;
    HttpResponse dropped;
    dropped.status = kDroppedStatus;
    box_->put(std::move(dropped));
  }
  void respond(HttpResponse response) {
    is_used_ = true;
    box_->put(std::move(response));
  }

 private:
  const std::shared_ptr<Mailbox<HttpResponse>> box_;
  std::atomic<bool> is_used_{false};
};

}  // namespace

std::optional<std::string> client_request_id(const HttpHeaders& headers) {
  const std::string_view given = headers.find("X-Request-ID").value_or("");
  const bool is_good = !given.empty() && given.size() <= kRequestIdBytesMax &&
                       std::ranges::all_of(given, [](char c) { return c > ' ' && c < 0x7F; });
  if (!is_good) return std::nullopt;
  return std::string(given);
}

std::size_t Exchange::route_index(const RouteTable& routes) const {
  return route == nullptr ? routes.size() : static_cast<std::size_t>(route - routes.data());
}

std::string_view code_of_status(int status) {
  switch (status) {
    case 401:
      return "unauthenticated";
    case 403:
      return "permission_denied";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 413:
    case 431:
      return "too_large";
    case 415:
      return "unsupported_media_type";
    case 417:
      return "expectation_failed";
    case 421:
      return "misdirected_request";
    case 429:
      return "resource_exhausted";
    case 500:
      return "internal";
    case 501:
    case 505:
      return "unimplemented";
    case 503:
      return "unavailable";
    default:
      return "invalid_argument";
  }
}

HttpResponse exchange_error(const Exchange& exchange, int status, std::string_view detail) {
  if (status == 413 && exchange.route != nullptr && !exchange.route->too_large_text.empty()) {
    detail = exchange.route->too_large_text;
  }
  return error_response(exchange.shape, status, code_of_status(status), detail, exchange.request_id);
}

Exchange begin_exchange(ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head,
                        std::string request_id) {
  Exchange exchange;
  exchange.request_id = std::move(request_id);
  exchange.wire = wire_of(core.options, peer, head.headers);
  exchange.is_head_method = head.method == "HEAD";
  exchange.is_http_1_0 = head.is_http_1_0;
  exchange.keep_alive = head.is_keep_alive;
  Router::Match match = core.router->find(profile, head.method, head.path);
  exchange.route = match.route;
  exchange.cors = cors_grant(core.options.cors_origins, match.is_cors, head.headers);
  exchange.path_params = std::move(match.path_params);
  exchange.shape = resolve_error_shape(match.route != nullptr ? match.route->errors : ErrorShape::by_profile, profile);
  const OpenServer mode = core.access.asks() ? OpenServer::no : OpenServer::yes;
  if (auto refusal = check_gate(core.options, mode, profile, peer, head)) {
    exchange.early_reply = refusal_response(exchange.shape, *refusal, exchange.request_id);
  } else if (match.route == nullptr && profile == Profile::redirect) {
    exchange.early_reply = lead_to_tls(core, peer, head, exchange);
  } else if (match.route == nullptr) {
    exchange.early_reply = reply_without_route(exchange, head, match);
  } else if (match.route->permission == Permission::open) {
    plan_body(core, exchange, head);
  } else if (mode == OpenServer::yes) {
    pass_open(core, profile, peer, head, exchange);
  } else {
    ask_caller(core, profile, peer, head, exchange);
  }
  if (exchange.early_reply) plan_discard(exchange, head);
  return exchange;
}

void admit_exchange(const ServerCore& core, Profile profile, const Peer& peer, const RequestHead& head,
                    Exchange& exchange, const Result<PrincipalPtr>& principal) {
  exchange.awaits_principal = false;
  if (principal) {
    pass_known(core, profile, peer, head, exchange, *principal);
  } else {
    turn_away(core, peer, head, exchange, nullptr,
              refusal_of_authentication(principal.error(), exchange.request_id, exchange.credential->kind));
  }
  if (exchange.early_reply) plan_discard(exchange, head);
}

std::shared_ptr<HttpRequest> make_request(Exchange& exchange, RequestHead& head, std::string body) {
  auto leased = std::make_shared<LeasedRequest>();
  leased->lease = std::move(exchange.lease);
  HttpRequest& request = leased->request;
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.path = std::move(head.path);
  request.query = parse_query_text(head.query);
  request.path_params = std::move(exchange.path_params);
  request.headers = std::move(head.headers);
  request.body = std::move(body);
  request.request_id = exchange.request_id;
  request.error_shape = exchange.shape;
  request.wire = exchange.wire;
  request.tenant = std::move(exchange.passage.tenant);
  request.principal = exchange.principal;
  request.access = std::move(exchange.passage.access);
  return {std::move(leased), &request};
}

Responder make_responder(std::shared_ptr<Mailbox<HttpResponse>> box) {
  return [state = std::make_shared<ResponderState>(std::move(box))](HttpResponse response) {
    state->respond(std::move(response));
  };
}

}  // namespace dendro
