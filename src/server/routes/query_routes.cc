#include "server/routes/query_routes.h"

#include <string>
#include <utility>

#include "base/json_writer.h"
#include "query/query_engine.h"
#include "query/record_lookup.h"
#include "server/http_text.h"
#include "server/routes/query_params.h"

namespace dendro {
namespace {

/// Room for a query of 64 KiB with escapes, and the other members.
constexpr std::uint64_t kQueryBodyBytesMax = std::uint64_t{512} << 10;

HttpResponse param_problem(const Error& error, const QueryParamFault& fault, const std::string& request_id) {
  if (fault.field.empty()) return error_response(ErrorShape::problem, error, request_id);
  std::string errors;
  JsonWriter writer(errors);
  writer.begin_array();
  writer.begin_object();
  writer.member("field", fault.field);
  writer.member("message", fault.message);
  writer.end_object();
  writer.end_array();
  return error_response(ErrorShape::problem, 400, error_code_name(error.code()), error.message(), request_id, errors);
}

/// A problem with `query{offset,size,column,line,expected,suggestion}` (query-language.md 10).
HttpResponse query_problem(const QueryFault& fault, const std::string& request_id) {
  const int status = http_status_of(fault.code);
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  writer.member("type", "about:blank");
  writer.member("title", reason_phrase(status));
  writer.member("status", status);
  writer.member("detail", fault.detail());
  writer.member("code", fault.code == ErrorCode::invalid_argument ? std::string_view("query_syntax")
                                                                  : error_code_name(fault.code));
  writer.member("request_id", request_id);
  writer.key("query");
  writer.raw(fault.to_json());
  writer.end_object();
  HttpResponse response = json_response(status, std::move(body));
  response.content_type = "application/problem+json";
  return response;
}

/// Why an answer in a format without a status line must not look whole: it ended before every record was considered.
std::optional<Error> why_cut(const QueryRun& run, OutputFormat format) {
  const QueryOutcome& outcome = run.outcome();
  if (format == OutputFormat::ndjson || format == OutputFormat::json) return std::nullopt;
  if (outcome.complete || outcome.reason == "limit") return std::nullopt;
  if (outcome.error) return outcome.error;
  return Error(outcome.reason == "timeout" ? ErrorCode::deadline_exceeded : ErrorCode::resource_exhausted,
               "the answer is incomplete (" + outcome.reason +
                   "); ask for a smaller range, or for format=ndjson, which says how far it came");
}

/// Pieces of a run, each made on a worker. The run outlives this object while a worker is in it.
class QueryResponseStream final : public ResponseStream {
 public:
  QueryResponseStream(std::shared_ptr<QueryRun> run, OutputFormat format, std::string first_piece, WorkerPool& workers,
                      CancelToken cancel)
      : run_(std::move(run)),
        format_(format),
        first_piece_(std::move(first_piece)),
        workers_(workers),
        cancel_(cancel) {}
  ~QueryResponseStream() override { cancel_.cancel(); }

  void next(std::function<void(Piece)> done) override {
    if (!first_piece_.empty()) return done(Piece(std::optional<std::string>(std::exchange(first_piece_, {}))));
    if (is_over_) return done(Piece(std::optional<std::string>()));
    auto work = [run = run_, format = format_, done] {
      Piece piece = run->next_piece();
      if (piece && !piece->has_value()) {
        if (auto error = why_cut(*run, format)) piece = *std::move(error);
      }
      done(std::move(piece));
    };
    // A full pool cuts the answer: the reader sees that the status line is missing.
    if (Status queued = workers_.submit(std::move(work)); !queued) {
      is_over_ = true;
      done(Piece(queued.error()));
    }
  }

 private:
  std::shared_ptr<QueryRun> run_;
  const OutputFormat format_;
  std::string first_piece_;
  WorkerPool& workers_;
  CancelToken cancel_;
  bool is_over_ = false;
};

HttpResponse answer_query(const QueryRouteParts& parts, const HttpRequest& request) {
  QueryParamFault param_fault;
  Result<QueryCall> call = read_query_call(request, param_fault);
  if (!call) return param_problem(call.error(), param_fault, request.request_id);
  QueryFault fault;
  const auto prepared = prepare_query(call->request, fault);
  if (!prepared) return query_problem(fault, request.request_id);
  auto snapshot = parts.snapshot_of(request.tenant);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);

  QueryRunOptions options;
  options.format = call->format;
  options.cancel = request.cancel;
  options.request_id = request.request_id;
  std::shared_ptr<QueryRun> run =
      start_query(*prepared, make_snapshot_input(std::move(*snapshot)), std::move(options), parts.clock);
  auto first_piece = run->next_piece();
  if (!first_piece) return error_response(ErrorShape::problem, first_piece.error(), request.request_id);
  HttpResponse response;
  response.content_type = content_type_of(call->format);
  response.headers.add("Cache-Control", "no-store");
  std::string bytes = std::move(*first_piece).value_or("");
  if (run->is_finished()) {
    if (const auto error = why_cut(*run, call->format))
      return error_response(ErrorShape::problem, *error, request.request_id);
    response.body = std::move(bytes);
  } else {
    response.stream = std::make_unique<QueryResponseStream>(std::move(run), call->format, std::move(bytes),
                                                            parts.workers, request.cancel);
  }
  return response;
}

HttpResponse answer_record(const QueryRouteParts& parts, const HttpRequest& request) {
  auto snapshot = parts.snapshot_of(request.tenant);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  auto json = find_record_json(**snapshot, request.path_param("id").value_or(""));
  if (!json) return error_response(ErrorShape::problem, json.error(), request.request_id);
  if (!json->has_value())
    return error_response(ErrorShape::problem, Error(ErrorCode::not_found, "no record has this id"),
                          request.request_id);
  return json_response(200, std::move(**json));
}

constexpr std::string_view kQuerySchema =
    R"({"type":"object","properties":{)"
    R"("query":{"type":"string","default":"*","maxLength":65536},)"
    R"("start":{"type":"string","description":"first instant: RFC 3339, a partial time, an epoch number, now-1h"},)"
    R"("end":{"type":"string","description":"first instant behind the range"},)"
    R"("tz":{"type":"string","description":"offset for times without a zone: +01:00"},)"
    R"("limit":{"type":"integer","minimum":0,"default":1000,"description":"0: all rows"},)"
    R"("cursor":{"type":"string"},"order":{"type":"string","enum":["asc","desc"],"default":"desc"},)"
    R"("fields":{"type":"array","items":{"type":"string"}},"clip_bytes":{"type":"integer","minimum":0,"default":4096},)"
    R"("timeout_ms":{"type":"integer","minimum":1,"maximum":600000,"default":30000},"progress":{"type":"boolean","default":true},)"
    R"("exact":{"type":"boolean","default":true},"default_field":{"type":"string"},"cache":{"type":"boolean"}}})";

constexpr std::string_view kQueryAnswerText =
    "Lines `{\"_meta\":..}`, one a row, `{\"_progress\":..}` now and then, and `{\"_status\":..}` last: an answer "
    "without it is torn. "
    "`complete` says whether every record of the range was considered.";

constexpr std::string_view kQueryProblemExample =
    R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"line 1, column 7: \"=\" needs \":\" before it",)"
    R"("code":"query_syntax","request_id":"..","query":{"offset":6,"size":1,"column":7,"line":1,"expected":[],"suggestion":"status:=500"}})";

std::vector<RouteReply> query_replies() {
  return {{200, std::string(kQueryAnswerText), "application/x-ndjson", "", ""},
          {400, "The query or a parameter is wrong; `query` says where and what to write instead.",
           "application/problem+json", "", std::string(kQueryProblemExample)},
          {501, "The query uses a part of the language that is not built yet.", "application/problem+json", "", ""}};
}

RouteParam format_param() {
  return {"format", ParamPlace::query, false,
          R"({"type":"string","enum":["ndjson","json","csv","text","table"],"default":"ndjson"})",
          "Form of the answer; without it the Accept header decides."};
}

Route search_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform);
  route.permission = Permission::search;
  route.operation_id = std::move(operation_id);
  route.group = "Search";
  route.summary = std::move(summary);
  route.errors = ErrorShape::problem;
  return route;
}

Route post_route(const QueryRouteParts& parts) {
  Route route = search_route("POST", "/api/v1/query", "query", "Search records, or summarise them");
  route.description = "One query of the dendro language over what is stored, newest first. Pages follow `next_cursor`.";
  route.params = {format_param()};
  route.request_content_type = "application/json";
  route.request_schema_json = kQuerySchema;
  route.request_example = R"({"query":"severity:error | stats by (service) count() as n","start":"now-1h"})";
  route.replies = query_replies();
  route.body_bytes_max = kQueryBodyBytesMax;
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_query(parts, request); });
  return route;
}

Route get_route(const QueryRouteParts& parts) {
  Route route = search_route("GET", "/api/v1/query", "query_by_parameters", "The same as POST, with parameters");
  const auto param = [&route](std::string name, std::string schema, std::string description) {
    route.params.push_back({std::move(name), ParamPlace::query, false, std::move(schema), std::move(description)});
  };
  param("query", R"({"type":"string","default":"*"})", "Text of the query.");
  param("start", R"({"type":"string"})", "First instant: RFC 3339, a partial time, an epoch number, `now-1h`.");
  param("end", R"({"type":"string"})", "First instant behind the range.");
  param("tz", R"({"type":"string"})", "Offset for times without a zone: `+01:00`.");
  param("limit", R"({"type":"integer","minimum":0,"default":1000})", "Rows of the answer; 0: all.");
  param("cursor", R"({"type":"string"})", "`next_cursor` of the page before.");
  param("order", R"({"type":"string","enum":["asc","desc"],"default":"desc"})", "By time.");
  param("fields", R"({"type":"string"})", "Only these keys, between commas.");
  param("clip_bytes", R"({"type":"integer","minimum":0,"default":4096})", "Longer texts are cut; 0: never.");
  param("timeout_ms", R"({"type":"integer","minimum":1,"maximum":600000,"default":30000})",
        "After it the rows so far are the answer.");
  param("progress", R"({"type":"boolean","default":true})", "Whether `_progress` lines are sent.");
  param("exact", R"({"type":"boolean","default":true})", "Numbers a double cannot hold become strings.");
  param("default_field", R"({"type":"string"})", "Field of text filters that name none.");
  route.params.push_back(format_param());
  route.replies = query_replies();
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_query(parts, request); });
  return route;
}

Route record_route(const QueryRouteParts& parts) {
  Route route = search_route("GET", "/api/v1/records/{id}", "get_record", "One record, whole");
  route.description =
      "`record` as a query shows it, nothing clipped; `raw` as its sender wrote it; `stream`, its labels.";
  route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The `_id` of a row."}};
  route.replies = {
      {200, "The record.", "application/json",
       R"({"type":"object","required":["record","raw","stream"],"properties":{"record":{"type":"object"},"raw":{"type":"string"},"stream":{"type":"object"}}})",
       R"({"record":{"_id":"..","_time":"2026-11-20T10:00:00.000000000Z","body":"login ok"},"raw":"{\"body\":\"login ok\"}","stream":{"service.name":"api"}})"},
      {404, "No record has this id.", "application/problem+json", "", ""}};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_record(parts, request); });
  return route;
}

}  // namespace

std::vector<Route> query_routes(QueryRouteParts parts) {
  std::vector<Route> routes;
  routes.push_back(post_route(parts));
  routes.push_back(get_route(parts));
  routes.push_back(record_route(parts));
  return routes;
}

}  // namespace dendro
