#include "server/routes/search_route.h"

#include <utility>

#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::string_view kQueryMembers =
    R"("query":{"type":"string","default":"*","maxLength":65536},)"
    R"("start":{"type":"string","description":"first instant: RFC 3339, a partial time, an epoch number, now-1h"},)"
    R"("end":{"type":"string","description":"first instant behind the range"},)"
    R"("tz":{"type":"string","description":"offset for times without a zone: +01:00"},)"
    R"("limit":{"type":"integer","minimum":0,"default":1000,"description":"0: all rows"},)"
    R"("cursor":{"type":"string"},"order":{"type":"string","enum":["asc","desc"],"default":"desc"},)"
    R"("fields":{"type":"array","items":{"type":"string"}},"clip_bytes":{"type":"integer","minimum":0,"default":4096},)"
    R"("timeout_ms":{"type":"integer","minimum":1,"maximum":600000,"default":30000},"progress":{"type":"boolean","default":true},)"
    R"("exact":{"type":"boolean","default":true},"explain":{"enum":[true,false,"plan","analyze"],"default":false},"default_field":{"type":"string"},"cache":{"type":"boolean"})";

constexpr std::string_view kQueryProblemExample =
    R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"line 1, column 7: \"=\" needs \":\" before it",)"
    R"("code":"query_syntax","request_id":"..","query":{"offset":6,"size":1,"column":7,"line":1,"expected":[],"suggestion":"status:=500"}})";

}  // namespace

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
  return error_response(ErrorShape::problem, 400, error_code_name(error.code()), error.message(), request_id,
                        {errors, {}});
}

Route search_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform);
  route.permission = Permission::search;
  route.honours_restrictions = true;  // QueryRouteParts::snapshot
  route.operation_id = std::move(operation_id);
  route.group = "Search";
  route.summary = std::move(summary);
  route.errors = ErrorShape::problem;
  return route;
}

void take_query_body(Route& route, std::string_view more_members, std::string example) {
  route.request_content_type = "application/json";
  route.request_schema_json = query_schema(more_members);
  route.request_example = std::move(example);
  route.body_bytes_max = kQueryBodyBytesMax;
}

std::string query_schema(std::string_view more_members) {
  std::string schema = R"({"type":"object","properties":{)" + std::string(kQueryMembers);
  if (!more_members.empty()) schema.append(",").append(more_members);
  return schema + "}}";
}

RouteReply query_problem_reply() {
  return {400, "The query or a parameter is wrong; `query` says where and what to write instead.",
          "application/problem+json", "", std::string(kQueryProblemExample)};
}
RouteReply query_unbuilt_reply() {
  return {501, "The query uses a part of the language that is not built yet.", "application/problem+json", "", ""};
}

}  // namespace dendro
