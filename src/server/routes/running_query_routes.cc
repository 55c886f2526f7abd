#include "server/routes/running_query_routes.h"

#include <utility>

#include "base/json_writer.h"
#include "server/routes/admin_routes.h"

namespace dendro {
namespace {

void write_activity(JsonWriter& json, const QueryActivity& activity) {
  json.begin_object();
  json.member("id", activity.id);
  json.member("tenant", activity.tenant.text());
  json.member("operation", activity.operation);
  json.member("query", activity.query);
  json.member("started_at", to_rfc3339(activity.started));
  json.member("elapsed_ms", std::chrono::duration_cast<std::chrono::milliseconds>(activity.elapsed).count());
  if (!activity.reason.empty()) {
    json.member("reason", activity.reason);
    json.member("scanned_records", activity.scanned_records);
    json.member("scanned_bytes", activity.scanned_bytes);
  }
  json.end_object();
}

void write_activities(JsonWriter& json, std::string_view name, const std::vector<QueryActivity>& activities) {
  json.key(name);
  json.begin_array();
  for (const QueryActivity& activity : activities) write_activity(json, activity);
  json.end_array();
}

HttpResponse answer_running(const RunningQueries& queries) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  write_activities(json, "items", queries.list());
  write_activities(json, "slow", queries.slow());
  json.end_object();
  return json_response(200, std::move(body));
}

}  // namespace

std::vector<Route> make_running_query_routes(RunningQueries& queries) {
  Route list = admin_route("GET", "/api/v1/admin/queries", "list_running_queries", "Queries that run now");
  list.use = RouteUse::read;
  list.description =
      "`items`: of all tenants, the oldest first. `slow`: the last 100 that took longer than `query.slow_after`, the "
      "newest first; each of them is a line of the log, too.";
  list.replies = {{200,
                   "The lists.",
                   "application/json",
                   {},
                   R"({"items":[{"id":"req-7","tenant":"default","operation":"query","query":"error",)"
                   R"("started_at":"2026-11-20T10:00:00.000000000Z","elapsed_ms":812}],"slow":[]})"}};
  // Nothing in here waits: it must answer while every worker is busy with a query.
  list.handler = [&queries](std::shared_ptr<const HttpRequest>, Responder respond) {
    respond(answer_running(queries));
  };

  Route cancel = admin_route("DELETE", "/api/v1/admin/queries/{id}", "cancel_query", "End a running query");
  cancel.use = RouteUse::change;
  cancel.description = "As if its caller had gone away; what it has sent by then stands.";
  cancel.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The request id of the query."}};
  cancel.replies = {{204, "It ends.", {}, {}, {}},
                    {404, "No query of this request runs.", "application/problem+json", {}, {}}};
  cancel.handler = [&queries](std::shared_ptr<const HttpRequest> request, Responder respond) {
    if (!queries.cancel(request->path_param("id").value_or(""))) {
      return respond(error_response(ErrorShape::problem, Error(ErrorCode::not_found, "no query of this request runs"),
                                    request->request_id));
    }
    HttpResponse response;
    response.status = 204;
    respond(std::move(response));
  };
  std::vector<Route> routes;
  routes.push_back(std::move(list));
  routes.push_back(std::move(cancel));
  return routes;
}

}  // namespace dendro
