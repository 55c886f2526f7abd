#include "server/routes/alert_routes.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "server/routes/query_problem.h"

namespace dendro {
namespace {

constexpr std::size_t kHistoryPage = 100;
constexpr std::string_view kAlertExample =
    R"({"id":"5f0c2f1e9a7b4d33","read_only":false,"rule":{"name":"checkout errors","query":"service:checkout )"
    R"(severity:error","every":"60s","range":"300s","for":"0s","condition":{"rows_above":10},"labels":{"severity":)"
    R"("critical"},"annotations":{},"receivers":["ops"],"enabled":true},"state":"firing","problem":null,)"
    R"("evaluated_at":"2026-11-20T10:00:07.000000000Z","instances":[{"labels":{},"state":"firing","value":"14",)"
    R"("active_since":"2026-11-20T09:59:07.000000000Z","fired_at":"2026-11-20T09:59:07.000000000Z","resolved_at":null,)"
    R"("told_at":"2026-11-20T09:59:07.000000000Z"}]})";
constexpr std::string_view kAlertBodySchema =
    R"({"type":"object","required":["name","query","condition"],"properties":{"name":{"type":"string","maxLength":200},)"
    R"("query":{"type":"string","maxLength":65536},"every":{"type":"string","default":"60s","description":"10s to 1d"},)"
    R"("range":{"type":"string","default":"300s","description":"an evaluation looks at what happened in the last so much time"},)"
    R"("for":{"type":"string","default":"0s"},"condition":{"type":"object","description":"{\"rows_above\":n}, )"
    R"({\"column\":c,\"above\":n}, {\"column\":c,\"below\":n} or {\"new_value_of\":field,\"days\":d}"},)"
    R"("labels":{"type":"object","additionalProperties":{"type":"string"}},"annotations":{"type":"object",)"
    R"("additionalProperties":{"type":"string"}},"receivers":{"type":"array","items":{"type":"string"},"description":)"
    R"("names of [[receivers]] of the configuration"},"enabled":{"type":"boolean","default":true}}})";

HttpResponse alert_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}
HttpResponse rule_problem(const Error& error, const QueryFault& fault, const HttpRequest& request) {
  return fault.message.empty() ? alert_problem(error, request) : query_problem(fault, request.request_id);
}

void write_time_or_null(JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time == Timestamp()) {
    json.null();
  } else {
    json.value(to_rfc3339(time));
  }
}

void write_text_or_null(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void write_instance(JsonWriter& json, const AlertInstanceRow& row) {
  json.begin_object();
  json.key("labels");
  json.raw(row.labels);
  json.member("state", row.state);
  json.member("value", row.value);
  write_time_or_null(json, "active_since", row.active_since);
  write_time_or_null(json, "fired_at", row.fired);
  write_time_or_null(json, "resolved_at", row.resolved);
  write_time_or_null(json, "told_at", row.told);
  json.end_object();
}

void write_alert(JsonWriter& json, const AlertRuleView& view) {
  json.begin_object();
  json.member("id", view.rule.id);
  json.member("read_only", view.rule.is_read_only);
  json.key("rule");
  json.raw(alert_rule_json(view.rule));
  json.member("state", view.state);
  write_text_or_null(json, "problem", view.progress.problem);
  write_time_or_null(json, "evaluated_at", view.progress.evaluated);
  json.key("instances");
  json.begin_array();
  for (const AlertInstanceRow& row : view.progress.instances) write_instance(json, row);
  json.end_array();
  json.end_object();
}

HttpResponse alert_response(int status, const AlertRuleView& view) {
  std::string body;
  JsonWriter json(body);
  write_alert(json, view);
  return json_response(status, std::move(body));
}

Result<AlertRule> read_rule(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  DENDRO_TRY_ASSIGN(AlertRule rule, parse_alert_rule(body));
  rule.tenant = request.tenant;
  rule.id = request.path_param("id").value_or("");
  return rule;
}

HttpResponse answer_alerts(const AlertService& alerts, const HttpRequest& request) {
  const auto views = alerts.list(request.tenant);
  if (!views) return alert_problem(views.error(), request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const AlertRuleView& view : *views) write_alert(json, view);
  json.end_array();
  json.end_object();
  return json_response(200, std::move(body));
}

HttpResponse answer_new_alert(AlertService& alerts, const HttpRequest& request) {
  auto rule = read_rule(request);
  if (!rule) return alert_problem(rule.error(), request);
  QueryFault fault;
  const auto made = alerts.create(std::move(*rule), fault);
  return made ? alert_response(201, *made) : rule_problem(made.error(), fault, request);
}

HttpResponse answer_alert(const AlertService& alerts, const HttpRequest& request) {
  const auto view = alerts.get(request.tenant, request.path_param("id").value_or(""));
  return view ? alert_response(200, *view) : alert_problem(view.error(), request);
}

HttpResponse answer_changed_alert(AlertService& alerts, const HttpRequest& request) {
  auto rule = read_rule(request);
  if (!rule) return alert_problem(rule.error(), request);
  QueryFault fault;
  const auto changed = alerts.replace(std::move(*rule), fault);
  return changed ? alert_response(200, *changed) : rule_problem(changed.error(), fault, request);
}

HttpResponse answer_removed_alert(AlertService& alerts, const HttpRequest& request) {
  const Status removed = alerts.remove(request.tenant, request.path_param("id").value_or(""));
  if (!removed) return alert_problem(removed.error(), request);
  HttpResponse response;
  response.status = 204;
  return response;
}

Result<AlertService::Deliver> read_deliver(const HttpRequest& request) {
  if (request.body.empty()) return AlertService::Deliver::no;
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  const JsonValue* const deliver = body.find("deliver");
  if (!body.is_object() || body.members().size() > 1 || (deliver == nullptr && !body.members().empty()) ||
      (deliver != nullptr && !deliver->as_bool())) {
    return Error(ErrorCode::invalid_argument, R"(the body must be {"deliver":true} or {"deliver":false})");
  }
  const bool says_yes = deliver != nullptr && *deliver->as_bool();
  return says_yes ? AlertService::Deliver::yes : AlertService::Deliver::no;
}

HttpResponse answer_alert_test(AlertService& alerts, const HttpRequest& request) {
  const auto deliver = read_deliver(request);
  if (!deliver) return alert_problem(deliver.error(), request);
  const auto tested = alerts.test(request.tenant, request.path_param("id").value_or(""), *deliver, request.cancel);
  if (!tested) return alert_problem(tested.error(), request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  write_text_or_null(json, "problem", tested->outcome.problem);
  json.key("notifications");
  json.begin_array();
  for (const AlertNotification& notification : tested->notifications) json.raw(notification_json(notification));
  json.end_array();
  json.member("receivers", tested->receivers);
  json.member("sent", tested->is_sent);
  json.end_object();
  return json_response(200, std::move(body));
}

void write_history_row(JsonWriter& json, const AlertHistoryRow& row) {
  json.begin_object();
  json.member("at", to_rfc3339(row.at));
  json.key("labels");
  json.raw(row.labels);
  json.member("from", row.before);
  json.member("to", row.after);
  json.member("value", row.value);
  json.member("note", row.note);
  json.end_object();
}

HttpResponse answer_alert_history(const AlertService& alerts, const HttpRequest& request) {
  std::int64_t before = 0;
  const std::string_view cursor = request.query_param("cursor").value_or("0");
  const auto parsed = std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
  if (parsed.ec != std::errc() || parsed.ptr != cursor.data() + cursor.size() || before < 0) {
    return alert_problem(Error(ErrorCode::invalid_argument, "cursor: must be a next_cursor of this list"), request);
  }
  const auto rows = alerts.history(request.tenant, request.path_param("id").value_or(""), before, kHistoryPage + 1);
  if (!rows) return alert_problem(rows.error(), request);
  const std::size_t shown = std::min(rows->size(), kHistoryPage);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (std::size_t i = 0; i < shown; ++i) write_history_row(json, (*rows)[i]);
  json.end_array();
  if (rows->size() > shown) json.member("next_cursor", std::to_string((*rows)[shown - 1].number));
  json.end_object();
  return json_response(200, std::move(body));
}

void take_rule(Route& route) {
  route.request_content_type = "application/json";
  route.request_schema_json = kAlertBodySchema;
  route.request_example =
      R"({"name":"checkout errors","query":"service:checkout severity:error","condition":{"rows_above":10},"receivers":["ops"]})";
}
RouteParam alert_id_param() {
  return {"id", ParamPlace::path, true, R"({"type":"string"})", "As `POST /api/v1/alerts` gave it."};
}
RouteReply alert_reply(int status, std::string text) {
  return {status, std::move(text), "application/json", {}, std::string(kAlertExample)};
}
RouteReply alert_failure(int status, std::string text) {
  return {status, std::move(text), "application/problem+json", {}, {}};
}

std::vector<Route> alert_collection_routes(WorkerPool& pool, AlertService& alerts) {
  Route list =
      alert_route("GET", "/api/v1/alerts", "list_alerts", "The tenant's alert rules and their states, by name");
  list.use = RouteUse::none;
  list.description = "`state`: `inactive`, `pending`, `firing`, `error` (the last evaluation failed), `disabled`.";
  list.replies = {{200, "All of them.", "application/json", {}, R"({"items":[)" + std::string(kAlertExample) + "]}"}};
  list.handler = on_workers(pool, [&alerts](const HttpRequest& request) { return answer_alerts(alerts, request); });
  Route create = alert_route("POST", "/api/v1/alerts", "create_alert", "Watch something");
  create.use = RouteUse::change;
  take_rule(create);
  create.replies = {alert_reply(201, "It is on disk, and evaluated from now on."),
                    alert_failure(400, "The rule or its query is wrong."), alert_failure(409, "The name is taken.")};
  create.handler =
      on_workers(pool, [&alerts](const HttpRequest& request) { return answer_new_alert(alerts, request); });
  return {std::move(list), std::move(create)};
}

std::vector<Route> one_alert_routes(WorkerPool& pool, AlertService& alerts) {
  const RouteReply missing = alert_failure(404, "The tenant has no rule with this id.");
  const RouteReply fixed = alert_failure(403, "A rule of the configuration file.");
  Route get = alert_route("GET", "/api/v1/alerts/{id}", "get_alert", "One alert rule and its states");
  get.use = RouteUse::none;
  get.params = {alert_id_param()};
  get.replies = {alert_reply(200, "The rule."), missing};
  get.handler = on_workers(pool, [&alerts](const HttpRequest& request) { return answer_alert(alerts, request); });
  Route replace = alert_route("PUT", "/api/v1/alerts/{id}", "replace_alert", "Replace an alert rule");
  replace.use = RouteUse::change;
  replace.params = {alert_id_param()};
  take_rule(replace);
  replace.replies = {alert_reply(200, "As it is now."), missing, fixed, alert_failure(409, "The name is taken.")};
  replace.handler =
      on_workers(pool, [&alerts](const HttpRequest& request) { return answer_changed_alert(alerts, request); });
  Route remove = alert_route("DELETE", "/api/v1/alerts/{id}", "delete_alert", "Watch it no more");
  remove.use = RouteUse::change;
  remove.description = "States and history go with it. Receivers are not told.";
  remove.params = {alert_id_param()};
  remove.replies = {{204, "Gone.", {}, {}, {}}, missing, fixed};
  remove.handler =
      on_workers(pool, [&alerts](const HttpRequest& request) { return answer_removed_alert(alerts, request); });
  return {std::move(get), std::move(replace), std::move(remove)};
}

std::vector<Route> alert_work_routes(WorkerPool& pool, AlertService& alerts) {
  const RouteReply missing = alert_failure(404, "The tenant has no rule with this id.");
  Route test = alert_route("POST", "/api/v1/alerts/{id}/test", "test_alert", "Evaluate now and say what would be sent");
  test.use = RouteUse::read;
  test.description =
      "As if the rule were new and waited for nothing; its states stay. Only with `deliver` are messages sent, "
      "marked as tests.";
  test.params = {alert_id_param()};
  test.request_content_type = "application/json";
  test.request_schema_json = R"({"type":"object","properties":{"deliver":{"type":"boolean","default":false}}})";
  test.request_example = R"({"deliver":true})";
  test.replies = {{200, "What was found.", "application/json", {}, {}}, missing};
  test.handler = on_workers(pool, [&alerts](const HttpRequest& request) { return answer_alert_test(alerts, request); });
  Route history = alert_route("GET", "/api/v1/alerts/{id}/history", "alert_history", "How its states changed");
  history.use = RouteUse::read;
  history.description = "Newest first, 90 days and 10,000 changes.";
  history.params = {alert_id_param(),
                    {"cursor", ParamPlace::query, false, R"({"type":"string"})", "`next_cursor` of the page before."}};
  history.replies = {{200, "A page.", "application/json", {}, {}}, missing};
  history.handler =
      on_workers(pool, [&alerts](const HttpRequest& request) { return answer_alert_history(alerts, request); });
  return {std::move(test), std::move(history)};
}

}  // namespace

Route alert_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform);
  route.permission = Permission::alerts;
  route.operation_id = std::move(operation_id);
  route.group = "Alerts";
  route.summary = std::move(summary);
  route.errors = ErrorShape::problem;
  return route;
}

std::vector<Route> make_alert_routes(WorkerPool& pool, AlertService& alerts) {
  std::vector<Route> routes;
  for (std::vector<Route> part : {alert_collection_routes(pool, alerts), one_alert_routes(pool, alerts),
                                  alert_work_routes(pool, alerts), make_silence_routes(pool, alerts)}) {
    routes.insert(routes.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  }
  return routes;
}

}  // namespace dendro
