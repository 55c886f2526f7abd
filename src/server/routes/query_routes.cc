#include "server/routes/query_routes.h"

#include <string>
#include <utility>

#include "query/output/record_lookup.h"
#include "query/plan/query_engine.h"
#include "server/routes/export_route.h"
#include "server/routes/facet_route.h"
#include "server/routes/histogram_route.h"
#include "server/routes/pattern_routes.h"
#include "server/routes/query_params.h"
#include "server/routes/query_problem.h"
#include "server/routes/query_response.h"
#include "server/routes/record_context_route.h"
#include "server/routes/search_route.h"
#include "services/tail/sequence_input.h"

namespace dendro {
namespace {

/// `gap` of a live tail: the records that it left out. Errors: invalid_argument and `fault`.
Result<SequenceRange> range_of(const HttpRequest& request, const QueryExtras& extras, QueryParamFault& fault) {
  const auto gap = extras.values.find("gap");
  if (gap == extras.values.end() && !request.query_param("gap")) return SequenceRange();
  const auto cursor = [&](std::string_view name) {
    const JsonValue* member = gap == extras.values.end() ? nullptr : gap->second.find(name);
    return parse_tail_cursor(member == nullptr ? std::string_view() : member->as_string().value_or(""));
  };
  const auto from = cursor("from_cursor"), to = cursor("to_cursor");
  if (from && to) return range_of_gap(*from, *to);
  fault = {"gap", "must be an object of the body with from_cursor and to_cursor, as a tail sent them"};
  return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
}

HttpResponse answer_query(const QueryRouteParts& parts, const HttpRequest& request) {
  QueryParamFault param_fault;
  QueryExtras extras{{"gap"}, {}};
  Result<QueryCall> call = read_query_call(request, param_fault, &extras);
  const Result<SequenceRange> sequences =
      call ? range_of(request, extras, param_fault) : Result<SequenceRange>(call.error());
  if (!sequences) return param_problem(sequences.error(), param_fault, request.request_id);
  parts.add_names(call->request, request.tenant);
  QueryFault fault;
  const auto prepared = prepare_query(call->request, fault);
  if (!prepared) return query_problem(fault, request.request_id);
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);

  QueryRunOptions options = parts.run_options(request);
  options.format = call->format;
  std::shared_ptr<QueryRun> run = track_run(
      start_query(*prepared, make_sequence_input(std::move(*snapshot), *sequences), std::move(options), parts.clock),
      parts.begin(request, "query", call->request.query));
  const bool says_its_end = call->format == OutputFormat::ndjson || call->format == OutputFormat::json;
  return answer_of_run(std::move(run), call->format, says_its_end ? CutAnswers::say_so : CutAnswers::break_off,
                       parts.workers, request);
}

HttpResponse answer_record(const QueryRouteParts& parts, const HttpRequest& request) {
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  auto json = find_record_json(**snapshot, request.path_param("id").value_or(""));
  if (!json) return error_response(ErrorShape::problem, json.error(), request.request_id);
  if (!json->has_value())
    return error_response(ErrorShape::problem, Error(ErrorCode::not_found, "no record has this id"),
                          request.request_id);
  return json_response(200, std::move(**json));
}

constexpr std::string_view kQueryAnswerText =
    "Lines `{\"_meta\":..}`, one a row, `{\"_progress\":..}` now and then, and `{\"_status\":..}` last: an answer "
    "without it is torn. "
    "`complete` says whether every record of the range was considered.";

std::vector<RouteReply> query_replies() {
  return {{200, std::string(kQueryAnswerText), "application/x-ndjson", "", ""},
          query_problem_reply(),
          query_unbuilt_reply()};
}

RouteParam format_param() {
  return {"format", ParamPlace::query, false,
          R"({"type":"string","enum":["ndjson","json","csv","text","table"],"default":"ndjson"})",
          "Form of the answer; without it the Accept header decides."};
}

Route post_route(const QueryRouteParts& parts) {
  Route route = search_route("POST", "/api/v1/query", "query", "Search records, or summarise them");
  route.use = RouteUse::read;
  route.description = "One query of the dendro language over what is stored, newest first. Pages follow `next_cursor`.";
  route.params = {format_param()};
  route.request_content_type = "application/json";
  route.request_schema_json = query_schema(
      R"("gap":{"type":"object","description":"only what a live tail left out","required":["from_cursor","to_cursor"],)"
      R"("properties":{"from_cursor":{"type":"string"},"to_cursor":{"type":"string"}}})");
  route.request_example = R"({"query":"severity:error | stats by (service) count() as n","start":"now-1h"})";
  route.replies = query_replies();
  route.body_bytes_max = kQueryBodyBytesMax;
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_query(parts, request); });
  return route;
}

Route get_route(const QueryRouteParts& parts) {
  Route route = search_route("GET", "/api/v1/query", "query_by_parameters", "The same as POST, with parameters");
  route.use = RouteUse::read;
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
  param("explain", R"({"enum":["true","false","plan","analyze"],"default":"false"})",
        "Instead of rows: the plan alone (plan), or the plan and what running it read (true, analyze).");
  route.params.push_back(format_param());
  route.replies = query_replies();
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_query(parts, request); });
  return route;
}

Route record_route(const QueryRouteParts& parts) {
  Route route = search_route("GET", "/api/v1/records/{id}", "get_record", "One record, whole");
  route.use = RouteUse::read;
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
  routes.push_back(record_context_route(parts));
  routes.push_back(histogram_route(parts));
  routes.push_back(export_route(parts));
  routes.push_back(facet_route(parts));
  routes.push_back(pattern_list_route(parts));
  routes.push_back(pattern_route(parts));
  return routes;
}

}  // namespace dendro
