#include "server/openapi.h"

#include <algorithm>
#include <map>

#include "base/json_writer.h"
#include "server/http_text.h"

namespace dendro {
namespace {

constexpr std::string_view kErrorSchemas =
    R"({"Problem":{"type":"object","description":"Problem details (RFC 9457).","required":["type","title","status","detail","code","request_id"],)"
    R"("properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},)"
    R"("code":{"type":"string"},"request_id":{"type":"string"},"errors":{"type":"array","items":{"type":"object","properties":{)"
    R"("field":{"type":"string"},"message":{"type":"string"},"loc":{"type":"array","items":{"type":["string","integer"]}},"type":{"type":"string"}}}}}},)"
    R"("DetailError":{"type":"object","required":["detail"],"properties":{"detail":{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"object",)"
    R"("properties":{"loc":{"type":"array","items":{"type":["string","integer"]}},"msg":{"type":"string"},"type":{"type":"string"}}}}]}}},)"
    R"("StatusCodeError":{"type":"object","required":["statusCode","error"],"properties":{"statusCode":{"type":"integer"},"error":{"type":"string"},"details":{"type":"string"}}},)"
    R"("TextError":{"type":"object","required":["error"],"properties":{"error":{"type":"string"}}}})";

std::string_view schema_name_of(ErrorShape shape) {
  switch (shape) {
    case ErrorShape::detail:
      return "DetailError";
    case ErrorShape::status_code:
      return "StatusCodeError";
    case ErrorShape::error_only:
      return "TextError";
    case ErrorShape::by_profile:
    case ErrorShape::problem:
      break;
  }
  return "Problem";
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view place_name(ParamPlace place) {
  switch (place) {
    case ParamPlace::path:
      return "path";
    case ParamPlace::header:
      return "header";
    case ParamPlace::query:
      break;
  }
  return "query";
}

/// True of content that is one JSON value, so that its example is JSON too; NDJSON and text are examples as strings.
bool is_json_type(std::string_view content_type) {
  return content_type.starts_with("application/json") || content_type.ends_with("+json");
}

void write_example(JsonWriter& json, std::string_view content_type, std::string_view example) {
  if (example.empty()) return;
  json.key("example");
  if (is_json_type(content_type)) {
    json.raw(example);
  } else {
    json.value(example);
  }
}

void write_media_type(JsonWriter& json, std::string_view content_type, std::string_view schema,
                      std::string_view example) {
  json.key(content_type);
  json.begin_object();
  if (!schema.empty()) {
    json.key("schema");
    json.raw(schema);
  }
  write_example(json, content_type, example);
  json.end_object();
}

void write_param(JsonWriter& json, const RouteParam& param) {
  json.begin_object();
  json.member("name", param.name);
  json.member("in", place_name(param.place));
  if (!param.description.empty()) json.member("description", param.description);
  json.member("required", param.required || param.place == ParamPlace::path);
  json.key("schema");
  json.raw(param.schema_json.empty() ? std::string_view(R"({"type":"string"})") : param.schema_json);
  json.end_object();
}

/// {names} of the path that the row does not describe.
std::vector<RouteParam> undescribed_path_params(const Route& route) {
  std::vector<RouteParam> params;
  std::size_t first = 0;
  while ((first = route.path.find('{', first)) != std::string::npos) {
    const std::size_t last = route.path.find('}', first);
    if (last == std::string::npos) break;
    RouteParam param;
    param.name = route.path.substr(first + 1, last - first - 1);
    param.place = ParamPlace::path;
    first = last;
    const bool is_described = std::ranges::any_of(
        route.params, [&](const RouteParam& row) { return row.place == ParamPlace::path && row.name == param.name; });
    if (!is_described) params.push_back(std::move(param));
  }
  return params;
}

void write_params(JsonWriter& json, const Route& route) {
  const std::vector<RouteParam> more = undescribed_path_params(route);
  if (route.params.empty() && more.empty()) return;
  json.key("parameters");
  json.begin_array();
  for (const RouteParam& param : route.params) write_param(json, param);
  for (const RouteParam& param : more) write_param(json, param);
  json.end_array();
}

void write_request_body(JsonWriter& json, const Route& route) {
  if (route.request_content_type.empty()) return;
  json.key("requestBody");
  json.begin_object();
  json.member("required", true);
  json.key("content");
  json.begin_object();
  write_media_type(json, route.request_content_type, route.request_schema_json, route.request_example);
  json.end_object();
  json.end_object();
}

/// Replies of one status differ by content type only; the first description counts.
void write_reply(JsonWriter& json, int status, const std::vector<const RouteReply*>& replies) {
  json.key(std::to_string(status));
  json.begin_object();
  const std::string& description = replies.front()->description;
  json.member("description", description.empty() ? std::string(reason_phrase(status)) : description);
  if (!replies.front()->content_type.empty()) {
    json.key("content");
    json.begin_object();
    for (const RouteReply* reply : replies) {
      if (reply->content_type.empty()) continue;
      write_media_type(json, reply->content_type, reply->schema_json, reply->example_json);
    }
    json.end_object();
  }
  json.end_object();
}

void write_replies(JsonWriter& json, const Route& route, Profile profile) {
  std::map<int, std::vector<const RouteReply*>> by_status;
  for (const RouteReply& reply : route.replies) by_status[reply.status].push_back(&reply);
  json.key("responses");
  json.begin_object();
  for (const auto& [status, replies] : by_status) write_reply(json, status, replies);
  const ErrorShape shape = resolve_error_shape(route.errors, profile);
  json.key("default");
  json.begin_object();
  json.member("description", "Any error.");
  json.key("content");
  json.begin_object();
  write_media_type(json, shape == ErrorShape::problem ? "application/problem+json" : "application/json",
                   R"({"$ref":"#/components/schemas/)" + std::string(schema_name_of(shape)) + R"("})", {});
  json.end_object();
  json.end_object();
  json.end_object();
}

void write_operation(JsonWriter& json, const Route& route, Profile profile) {
  json.key(lower_case(route.method));
  json.begin_object();
  json.member("operationId", route.operation_id);
  json.key("tags");
  json.begin_array();
  json.value(route.group);
  json.end_array();
  json.member("summary", route.summary);
  if (!route.description.empty()) json.member("description", route.description);
  json.member("x-dendro-permission", permission_name(route.permission));
  json.member("x-dendro-tenant", tenant_rule_name(route.tenant_rule));
  if (route.permission != Permission::open) json.member("x-dendro-use", route_use_name(route.use));
  write_params(json, route);
  write_request_body(json, route);
  write_replies(json, route, profile);
  json.end_object();
}

void write_paths(JsonWriter& json, const RouteTable& routes, Profile profile) {
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const Route& route : routes) {
    if ((route.on & profile_bit(profile)) != 0) by_path[route.path].push_back(&route);
  }
  json.key("paths");
  json.begin_object();
  for (const auto& [path, rows] : by_path) {
    json.key(path);
    json.begin_object();
    for (const Route* row : rows) write_operation(json, *row, profile);
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::vector<RouteGroup> group_routes(const RouteTable& routes, Profile profile) {
  std::vector<RouteGroup> groups;
  for (const Route& route : routes) {
    if ((route.on & profile_bit(profile)) == 0) continue;
    auto group = std::ranges::find(groups, route.group, &RouteGroup::name);
    if (group == groups.end()) group = groups.insert(groups.end(), RouteGroup{route.group, {}});
    group->rows.push_back(&route);
  }
  return groups;
}

std::string make_openapi(const RouteTable& routes, Profile profile, std::string_view version) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("openapi", "3.1.0");
  json.key("info");
  json.begin_object();
  json.member("title", "dendro");
  json.member("version", version);
  json.member("summary", "Log platform: " + std::string(profile_name(profile)) + " listener");
  json.key("license");
  json.raw(R"({"name":"Apache-2.0","identifier":"Apache-2.0"})");
  json.end_object();
  json.key("servers");
  json.raw(R"([{"url":"/"}])");
  json.key("tags");
  json.begin_array();
  for (const RouteGroup& group : group_routes(routes, profile)) {
    json.begin_object();
    json.member("name", group.name);
    json.end_object();
  }
  json.end_array();
  write_paths(json, routes, profile);
  json.key("components");
  json.begin_object();
  json.key("schemas");
  json.raw(kErrorSchemas);
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace dendro
