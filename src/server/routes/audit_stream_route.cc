#include <memory>
#include <utility>

#include "base/json_document.h"
#include "server/routes/audit_access.h"
#include "server/routes/audit_reply.h"
#include "server/routes/audit_routes.h"
#include "server/routes/audit_stream_socket.h"
#include "server/routes/caller_restriction.h"
#include "server/web_socket_handshake.h"
#include "services/audit/audit_ids.h"

namespace dendro {
namespace {

constexpr std::string_view kStreamText =
    "A WebSocket. The first frame is `{\"type\":\"connection_established\",..}`, then one frame a log as it was "
    "stored, with "
    "`message_id` and `\"status\":\"stored\"`. `filters` is a JSON object with the filters of `GET /logs`; the client "
    "may "
    "replace them with `{\"type\":\"filters\",\"filters\":{..}}`; any other text is echoed. `after` resumes behind a "
    "log "
    "without a gap or a repetition. For a reader over 1,000 frames or 4 MiB behind, logs are dropped and named by "
    "`{\"type\":\"dropped\",\"count\":n,\"from\":id,\"to\":id}`.\n\n"
    "What is refused is accepted first and closed with 1008, faults with 1011, a restart with 1012, too many streams "
    "with "
    "1013.";

/// What the reader asks for; otherwise why it gets nothing.
std::string read_stream_request(const HttpRequest& request, AuditStreamRequest& wanted) {
  auto reader = audit_reader_of(request);
  if (!reader) return reader.error().message();
  wanted.tenant = request.tenant;
  wanted.restriction = std::move(reader->restriction);
  if (const auto text = request.query_param("filters"); text && !text->empty()) {
    const auto json = parse_json_document(*text);
    if (!json) return "filters: " + json.error().message();
    FieldFaults faults;
    wanted.filter = read_audit_filter(*json, faults);
    if (!faults.empty()) return "filters: " + faults.front().field + ": " + faults.front().message;
  }
  if (const auto after = request.query_param("after"); after && !after->empty()) {
    wanted.after = parse_audit_id(*after);
    if (wanted.after.empty()) return "after: Invalid log ID";
  }
  return {};
}

HttpResponse refuse_plain_request(const HttpRequest& request) {
  HttpResponse response = error_response(request.error_shape, 426, "invalid_argument",
                                         "the log stream is a WebSocket (Upgrade: websocket)", request.request_id);
  response.headers.add("Upgrade", "websocket");
  return response;
}

/// On a worker: filters may have words to search for, and those become regular expressions.
void answer_stream(const AuditRouteParts& parts, const HttpRequest& request, std::string_view action,
                   const Responder& respond) {
  AuditStreamRequest wanted;
  std::string refusal = read_stream_request(request, wanted);
  const bool is_refused = !refusal.empty();
  const auto socket = std::make_shared<AuditStreamSocket>(std::move(wanted), uuid_v4(parts.random.bytes16()),
                                                          parts.workers, parts.streams, std::move(refusal));
  auto response = std::make_shared<HttpResponse>(accept_web_socket(request, {}, socket));
  if (is_refused || response->status != 101) return respond(std::move(*response));
  parts.trail.record(access_entry_of(request, action), [socket, response, respond](const Status& recorded) {
    if (!recorded) socket->fail();
    respond(std::move(*response));
  });
}

HttpHandler stream_handler(const AuditRouteParts& parts, std::string action) {
  return
      [parts, action = std::move(action)](const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
        if (!asks_for_web_socket(request->headers)) return respond(refuse_plain_request(*request));
        auto task = [parts, action, request, respond] { answer_stream(parts, *request, action, respond); };
        if (const Status queued = parts.workers.submit(std::move(task)); !queued) {
          respond(audit_error_reply(*request, queued.error()));
        }
      };
}

}  // namespace

Route make_audit_stream_route(const AuditRouteParts& parts) {
  Route route = audit_route("GET", parts.api_prefix + "/logs/stream", "stream_logs",
                            "Follow audit logs as they are stored", Permission::stream);
  route.honours_restrictions = true;
  route.use = RouteUse::own;
  route.description = kStreamText;
  route.refuse_web_socket = [parts](const HttpRequest& request, const GateRefusal& refusal) {
    return accept_web_socket(request, {},
                             std::make_shared<AuditStreamSocket>(AuditStreamRequest(), std::string(), parts.workers,
                                                                 parts.streams, refusal.detail));
  };
  route.params.push_back(audit_param("filters", R"({"type":"string"})", "JSON object of the filters of `GET /logs`."));
  route.params.push_back(audit_param("after", R"({"type":"string"})", "Id of the last log seen."));
  route.params.push_back(audit_param("tenant", R"({"type":"string"})", "Instead of X-Tenant-ID, for browsers."));
  route.replies = {{101, "The connection becomes a WebSocket.", "", "", ""},
                   {403, "A page of another origin asked for it.", "application/json", "", ""},
                   {426, "No WebSocket was asked for.", "application/json", "", ""}};
  route.handler = stream_handler(parts, route.operation_id);
  return route;
}

}  // namespace dendro
