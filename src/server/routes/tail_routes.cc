#include "server/routes/tail_routes.h"

#include <charconv>
#include <utility>

#include "server/http_text.h"
#include "server/routes/caller_restriction.h"
#include "server/routes/query_problem.h"
#include "server/routes/search_route.h"
#include "server/routes/tail_events.h"
#include "server/routes/tail_socket.h"
#include "server/use_recording.h"
#include "server/web_socket_handshake.h"

namespace dendro {
namespace {

constexpr std::string_view kTailText =
    "Rows as they become durable, in order of arrival. As a WebSocket (subprotocol `dendro.tail.v1`) the client sends "
    "`{\"type\":\"start\",\"query\":..,\"fields\":[],\"since\":null,\"rows_per_s_max\":5000,\"clip_bytes\":4096}`, "
    "again for another query, and gets text frames `hello`, `rows`, `table`, `gap`, `rate`, `end`. With `Accept: "
    "text/event-stream` the parameters say the same, and the frames are events whose `id` is the cursor.\n\n"
    "A cursor is exclusive: `since` (or `Last-Event-ID`) neither loses nor repeats. Of more than 10,000 missed rows "
    "the "
    "older ones are one `gap`, which `POST /api/v1/query` takes as `gap`.";

bool wants_events(const HttpRequest& request) {
  for (const std::string_view range : split_list(request.headers.find("Accept").value_or(""))) {
    if (equals_folding_case(trim_blanks(range.substr(0, range.find(';'))), kEventStreamType)) return true;
  }
  return false;
}

Result<std::uint64_t> count_param(const HttpRequest& request, std::string_view name, std::uint64_t otherwise) {
  const auto text = request.query_param(name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number);
  if (!text->empty() && parsed.ec == std::errc() && parsed.ptr == end) return number;
  return Error(ErrorCode::invalid_argument, std::string(name) + " must be a whole number");
}

/// `Last-Event-ID` wins: an EventSource that comes again sends the URL it began with.
Result<TailRequest> read_tail_request(const HttpRequest& request) {
  TailRequest asked;
  asked.tenant = request.tenant;
  asked.now = request.received;
  DENDRO_TRY_ASSIGN(asked.restriction, restriction_of(request.access.get(), request.received, request.request_id));
  asked.query = request.query_param("query").value_or("*");
  asked.since = request.headers.find("Last-Event-ID").value_or(request.query_param("since").value_or(""));
  for (const std::string_view name : split_list(request.query_param("fields").value_or(""))) {
    asked.fields.emplace_back(name);
  }
  DENDRO_TRY_ASSIGN(asked.rows_per_s_max, count_param(request, "rows_per_s_max", 0));
  DENDRO_TRY_ASSIGN(asked.clip_bytes, count_param(request, "clip_bytes", asked.clip_bytes));
  return asked;
}

HttpResponse answer_events(TailHub& hub, const HttpRequest& request) {
  const auto asked = read_tail_request(request);
  if (!asked) return error_response(ErrorShape::problem, asked.error(), request.request_id);
  QueryFault fault;
  auto session = hub.open(*asked, fault);
  if (!session) {
    if (!fault.message.empty()) return query_problem(fault, request.request_id);
    return error_response(ErrorShape::problem, session.error(), request.request_id);
  }
  HttpResponse response;
  response.content_type = kEventStreamType;
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");  // nginx holds a stream back otherwise
  response.stream = make_tail_events(std::move(*session), hub.clock());
  return response;
}

HttpResponse refuse_plain_get(const HttpRequest& request) {
  HttpResponse response = error_response(
      ErrorShape::problem, 426, "invalid_argument",
      "a live tail is a WebSocket (Upgrade: websocket) or a stream (Accept: text/event-stream)", request.request_id);
  response.headers.add("Upgrade", "websocket");
  return response;
}

HttpHandler tail_handler(WorkerPool& workers, TailHub& hub, std::shared_ptr<const UseRecording> recording) {
  HttpHandler events = on_workers(workers, [&hub](const HttpRequest& request) { return answer_events(hub, request); });
  return [&workers, &hub, events, recording = std::move(recording)](std::shared_ptr<const HttpRequest> request,
                                                                    Responder respond) {
    if (asks_for_web_socket(request->headers)) {
      return respond(accept_web_socket(*request, kTailProtocol, make_tail_socket(*request, workers, hub, recording)));
    }
    if (request->method != "GET" || !wants_events(*request)) return respond(refuse_plain_get(*request));
    events(std::move(request), std::move(respond));
  };
}

}  // namespace

std::vector<Route> tail_routes(WorkerPool& workers, TailHub& hub, std::shared_ptr<const UseRecording> recording) {
  Route route = search_route("GET", "/api/v1/tail", "tail", "Follow records as they arrive");
  route.use = RouteUse::read;
  route.description = kTailText;
  route.permission = Permission::stream;
  route.refuse_web_socket = [](const HttpRequest& request, const GateRefusal& refusal) {
    return accept_web_socket(request, kTailProtocol, make_refused_tail_socket(request, refusal));
  };
  const auto param = [&route](std::string name, std::string schema, std::string description) {
    route.params.push_back({std::move(name), ParamPlace::query, false, std::move(schema), std::move(description)});
  };
  param("query", R"({"type":"string","default":"*"})", "Text of the query (events only).");
  param("since", R"({"type":"string"})", "Cursor of the last frame seen; absent: from now on (events only).");
  param("fields", R"({"type":"string"})", "Only these keys, between commas (events only).");
  param("rows_per_s_max", R"({"type":"integer","minimum":1,"maximum":100000,"default":5000})",
        "What is more becomes gaps (events only).");
  param("clip_bytes", R"({"type":"integer","minimum":0,"default":4096})",
        "Longer texts are cut; 0: never (events only).");
  route.replies = {{101, "The connection becomes a WebSocket.", "", "", ""},
                   {200, "Server-sent events.", std::string(kEventStreamType), "", ""},
                   query_problem_reply(),
                   {403, "A page of another origin asked for a WebSocket.", "application/problem+json", "", ""},
                   {426, "Neither a WebSocket nor events were asked for.", "application/problem+json", "", ""},
                   {429, "Too many live tails.", "application/problem+json", "", ""}};
  route.handler = tail_handler(workers, hub, std::move(recording));
  return {std::move(route)};
}

}  // namespace dendro
