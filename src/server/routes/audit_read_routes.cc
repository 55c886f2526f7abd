#include <utility>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "server/routes/audit_access.h"
#include "server/routes/audit_params.h"
#include "server/routes/audit_reply.h"
#include "server/routes/audit_routes.h"
#include "server/routes/caller_restriction.h"
#include "services/audit/audit_ids.h"

namespace dendro {
namespace {

constexpr std::string_view kLogNotFound = "Log not found";

/// `{"data":[..],"meta":{"pagination":{..}}}`.
template <typename Row>
HttpResponse page_reply(const AuditPageRequest& request, const AuditPage<Row>& page,
                        void (*append)(std::string& out, const Row& row)) {
  std::string body = R"({"data":[)";
  for (const Row& row : page.rows) {
    if (&row != page.rows.data()) body.push_back(',');
    append(body, row);
  }
  body += R"(],"meta":{"pagination":)";
  JsonWriter json(body);
  json.begin_object();
  json.member("total", page.total);
  json.member("page", request.skip / request.limit + 1);
  json.member("size", request.limit);
  json.key("next_cursor");
  if (page.next_cursor) {
    json.value(*page.next_cursor);
  } else {
    json.null();
  }
  json.end_object();
  body += "}}";
  HttpResponse response = json_response(200, std::move(body));
  if (!page.is_complete) response.headers.add("X-Dendro-Incomplete", "damaged");
  return response;
}

/// A cursor that the store does not know is a fault of its parameter.
HttpResponse page_error(const HttpRequest& request, const Error& error) {
  if (error.code() != ErrorCode::invalid_argument) return audit_error_reply(request, error);
  return audit_fault_reply(request, {{"query", {}, "cursor", "not a cursor of this list", "value_error"}});
}

HttpResponse list_logs(AuditStore& store, const HttpRequest& request) {
  FieldFaults faults;
  const AuditFilter filter = audit_filter_of(request, faults);
  AuditPageRequest page_request = audit_page_of(request, faults);
  if (!faults.empty()) return audit_fault_reply(request, faults);
  auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  page_request.restriction = std::move(reader->restriction);
  const auto page = store.list(page_request, filter);
  return page ? page_reply(page_request, *page, append_audit_log_json) : page_error(request, page.error());
}

HttpResponse get_log(AuditStore& store, const HttpRequest& request) {
  const std::string id = parse_audit_id(request.path_param("id").value_or(""));
  if (id.empty()) {
    return error_response(request.error_shape, 400, "invalid_argument", "Invalid log ID", request.request_id);
  }
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  const auto log = store.get(*reader, id, request.cancel);
  if (!log) return audit_error_reply(request, log.error());
  if (!log->has_value()) {
    return error_response(request.error_shape, 404, "not_found", kLogNotFound, request.request_id);
  }
  std::string data;
  append_audit_log_json(data, **log);
  return audit_data_reply(200, data);
}

AccessFilter access_filter_of(const HttpRequest& request, FieldFaults& faults) {
  // The same names mean the same here; those that the trail does not have are ignored.
  const AuditParam param = [&request](std::string_view name) -> std::optional<std::string> {
    const bool is_known =
        name == "user_id" || name == "ip_address" || name == "request_id" || name == "start_time" || name == "end_time";
    const auto value = is_known ? request.query_param(name) : std::nullopt;
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  AuditFilter common = read_audit_filter(param, "query", faults);
  AccessFilter filter;
  filter.user_id = std::move(common.user_id);
  filter.ip_address = std::move(common.ip_address);
  filter.request_id = std::move(common.request_id);
  filter.start = common.start;
  filter.end = common.end;
  const std::string_view action = request.query_param("action").value_or("");
  if (!action.empty() && is_valid_utf8(action)) filter.action = std::string(action);
  return filter;
}

HttpResponse list_trail(AccessTrail& trail, const HttpRequest& request) {
  FieldFaults faults;
  const AccessFilter filter = access_filter_of(request, faults);
  const AuditPageRequest page_request = audit_page_of(request, faults);
  if (!faults.empty()) return audit_fault_reply(request, faults);
  const auto page = trail.list(page_request, filter);
  return page ? page_reply(page_request, *page, append_access_row_json) : page_error(request, page.error());
}

std::string page_schema(const std::string& row_schema) {
  return R"({"type":"object","properties":{"data":{"type":"array","items":)" + row_schema +
         R"(},"meta":{"type":"object","properties":{"pagination":{"type":"object","properties":{"total":{"type":"integer"},)"
         R"("page":{"type":"integer"},"size":{"type":"integer"},"next_cursor":{"type":["string","null"]}}}}}}})";
}
constexpr std::string_view kPaginationExample =
    R"(],"meta":{"pagination":{"total":250,"page":2,"size":100,"next_cursor":"AbC"}}})";

Route list_route(const AuditRouteParts& parts) {
  Route route =
      audit_route("GET", parts.api_prefix + "/logs", "list_logs", "List audit logs, newest first", Permission::search);
  route.honours_restrictions = true;
  route.use = RouteUse::own;
  route.description =
      "Every filter that is given must hold. `next_cursor` goes on behind the last log, also where many have the same "
      "time; with it neither a log repeats nor one is left out, whatever is stored meanwhile.";
  add_filter_params(route);
  add_page_params(route);
  route.replies = {{200, "A page.", "application/json", page_schema(audit_log_schema()),
                    R"({"data":[)" + audit_log_example() + std::string(kPaginationExample)},
                   audit_fault_doc()};
  route.handler =
      on_workers_recorded(parts.workers, parts.trail, route.operation_id,
                          [&store = parts.store](const HttpRequest& request) { return list_logs(store, request); });
  return route;
}

Route get_route(const AuditRouteParts& parts) {
  Route route =
      audit_route("GET", parts.api_prefix + "/logs/{id}", "get_log", "Read one audit log", Permission::search);
  route.honours_restrictions = true;
  route.use = RouteUse::own;
  route.params.push_back(
      {"id", ParamPlace::path, true, R"({"type":"string","pattern":"^[0-9a-fA-F]{24}$"})", "The log's id."});
  route.replies = {{200, "The log.", "application/json", {}, R"({"data":)" + audit_log_example() + R"(,"meta":null})"},
                   {400, "Not an id.", "application/json", {}, R"({"detail":"Invalid log ID"})"},
                   {404, "No such log.", "application/json", {}, R"({"detail":"Log not found"})"}};
  route.handler =
      on_workers_recorded(parts.workers, parts.trail, route.operation_id,
                          [&store = parts.store](const HttpRequest& request) { return get_log(store, request); });
  return route;
}

Route trail_route(const AuditRouteParts& parts) {
  Route route = audit_route("GET", parts.api_prefix + "/audit-trail", "list_audit_trail", "Who read what, newest first",
                            Permission::audit_trail);
  route.use = RouteUse::own;
  route.description =
      "One entry for each list, get, export, statistics call, stream opening and deletion of this API, durable before "
      "the reply. `action` is the operation's id in this document.";
  route.params.push_back(audit_param("user_id", R"({"type":"string"})", "Exactly."));
  route.params.push_back(audit_param("action", R"({"type":"string"})", "Exactly: list_logs, get_log, ..."));
  route.params.push_back(audit_param("ip_address", R"({"type":"string"})", "Exactly."));
  route.params.push_back(audit_param("request_id", R"({"type":"string"})", "Exactly."));
  route.params.push_back(audit_param("start_time", R"({"type":"string","format":"date-time"})", "From then on."));
  route.params.push_back(audit_param("end_time", R"({"type":"string","format":"date-time"})", "Up to then, included."));
  add_page_params(route);
  const std::string example =
      R"({"id":"6553f100a1b2c3d4e5000002","timestamp":"2026-01-31T10:00:01.000000Z","tenant_id":"acme","user_id":"key:3fA9",)"
      R"("token_id":"3fA9","action":"list_logs","resource_path":"/api/v1/logs","query_params":{"user_id":"ann"},)"
      R"("ip_address":"192.0.2.8","request_id":"r-18"})";
  route.replies = {{200, "A page.", "application/json", page_schema(R"({"type":"object"})"),
                    R"({"data":[)" + example + std::string(kPaginationExample)},
                   audit_fault_doc()};
  route.handler =
      on_workers_recorded(parts.workers, parts.trail, route.operation_id,
                          [&trail = parts.trail](const HttpRequest& request) { return list_trail(trail, request); });
  return route;
}

}  // namespace

std::vector<Route> make_audit_read_routes(const AuditRouteParts& parts) {
  std::vector<Route> routes;
  routes.push_back(list_route(parts));
  routes.push_back(get_route(parts));
  routes.push_back(trail_route(parts));
  return routes;
}

}  // namespace dendro
