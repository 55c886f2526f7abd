#include "server/routes/record_context_route.h"

#include <charconv>
#include <optional>

#include "query/run/record_context.h"
#include "server/routes/search_route.h"

namespace dendro {
namespace {

constexpr std::size_t kContextRecordsMax = 1000;

/// A parameter's number up to `max`; `otherwise` where it is absent.
std::optional<std::size_t> side_count(const HttpRequest& request, std::string_view name, std::size_t otherwise,
                                      std::size_t max) {
  const auto text = request.query_param(name);
  if (!text) return otherwise;
  std::size_t number = 0;
  const char* end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, number);
  if (text->empty() || result.ec != std::errc() || result.ptr != end || number > max) return std::nullopt;
  return number;
}

HttpResponse answer_record_context(const QueryRouteParts& parts, const HttpRequest& request) {
  RecordContextOptions options;
  options.cancel = request.cancel;
  for (auto [name, member] : {std::pair("before", &options.before), std::pair("after", &options.after)}) {
    const auto number = side_count(request, name, *member, kContextRecordsMax);
    if (!number) {
      const std::string message = "must be a whole number up to " + std::to_string(kContextRecordsMax);
      return param_problem(Error(ErrorCode::invalid_argument, std::string(name) + " " + message), {name, message},
                           request.request_id);
    }
    *member = *number;
  }
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  auto json = find_record_context_json(**snapshot, request.path_param("id").value_or(""), options, parts.clock);
  if (!json) return error_response(ErrorShape::problem, json.error(), request.request_id);
  if (!json->has_value()) {
    return error_response(ErrorShape::problem, Error(ErrorCode::not_found, "no record has this id"),
                          request.request_id);
  }
  return json_response(200, std::move(**json));
}

}  // namespace

Route record_context_route(const QueryRouteParts& parts) {
  Route route = search_route("GET", "/api/v1/records/{id}/context", "get_record_context",
                             "The records around one, of the same stream");
  route.use = RouteUse::read;
  route.description =
      "Records of exactly the same stream, oldest first on both sides, as rows of a query show them (texts over 4,096 "
      "bytes are clipped). `more` says whether there are others beyond.";
  route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The `_id` of a row."},
                  {"before", ParamPlace::query, false, R"({"type":"integer","minimum":0,"maximum":1000,"default":10})",
                   "Older records."},
                  {"after", ParamPlace::query, false, R"({"type":"integer","minimum":0,"maximum":1000,"default":10})",
                   "Newer records."}};
  route.replies = {
      {200, "The neighbours.", "application/json",
       R"({"type":"object","required":["before","record","after","more"],"properties":{"before":{"type":"array","items":{"type":"object"}},"record":{"type":"object"},)"
       R"("after":{"type":"array","items":{"type":"object"}},"more":{"type":"object","properties":{"before":{"type":"boolean"},"after":{"type":"boolean"}}}}})",
       R"({"before":[{"_id":"..","body":"login"}],"record":{"_id":"..","body":"paid"},"after":[],"more":{"before":true,"after":false}})"},
      {404, "No record has this id.", "application/problem+json", "", ""}};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_record_context(parts, request); });
  return route;
}

}  // namespace dendro
