#include "base/json_document.h"
#include "base/json_writer.h"
#include "server/routes/alert_routes.h"

namespace dendro {
namespace {

constexpr std::size_t kSilenceCommentBytesMax = 1'024;
constexpr std::string_view kSilenceExample =
    R"({"id":"9a7b4d335f0c2f1e","matchers":[{"name":"service","value":"checkout","negated":false}],)"
    R"("starts_at":"2026-11-20T10:00:00.000000000Z","ends_at":"2026-11-20T12:00:00.000000000Z","comment":"release",)"
    R"("state":"active"})";

HttpResponse silence_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}

void write_silence(JsonWriter& json, const AlertSilence& silence, Timestamp now) {
  json.begin_object();
  json.member("id", silence.id);
  json.key("matchers");
  json.raw(matchers_json(silence.matchers));
  json.member("starts_at", to_rfc3339(silence.starts));
  json.member("ends_at", to_rfc3339(silence.ends));
  json.member("comment", silence.comment);
  json.member("state", now < silence.starts ? "coming" : now < silence.ends ? "active" : "ended");
  json.end_object();
}

Result<Timestamp> read_silence_time(const JsonValue& value, const std::string& name) {
  const auto time = value.is_string() ? parse_rfc3339(*value.as_string()) : std::nullopt;
  if (!time) return Error(ErrorCode::invalid_argument, name + ": must be a time such as 2026-11-20T10:00:00Z");
  return *time;
}

Result<AlertSilence> read_silence(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  if (!body.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  AlertSilence silence;
  silence.starts = request.received;
  for (const auto& [name, value] : body.members()) {
    if (name == "matchers") {
      DENDRO_TRY_ASSIGN(silence.matchers, parse_matchers(value));
    } else if (name == "starts_at") {
      DENDRO_TRY_ASSIGN(silence.starts, read_silence_time(value, name));
    } else if (name == "ends_at") {
      DENDRO_TRY_ASSIGN(silence.ends, read_silence_time(value, name));
    } else if (name == "comment" && value.is_string() && value.as_string()->size() <= kSilenceCommentBytesMax) {
      silence.comment = *value.as_string();
    } else {
      return Error(ErrorCode::invalid_argument,
                   name + ": known are matchers, starts_at, ends_at, comment (a text of at most 1,024 bytes)");
    }
  }
  if (silence.matchers.empty()) return Error(ErrorCode::invalid_argument, "matchers: must be there");
  if (silence.ends <= silence.starts) {
    return Error(ErrorCode::invalid_argument, "ends_at: must be there, and behind starts_at");
  }
  return silence;
}

HttpResponse answer_silences(const AlertService& alerts, const HttpRequest& request) {
  const auto silences = alerts.list_silences(request.tenant);
  if (!silences) return silence_problem(silences.error(), request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const AlertSilence& silence : *silences) write_silence(json, silence, request.received);
  json.end_array();
  json.end_object();
  return json_response(200, std::move(body));
}

HttpResponse answer_new_silence(AlertService& alerts, const HttpRequest& request) {
  auto silence = read_silence(request);
  if (!silence) return silence_problem(silence.error(), request);
  const auto made = alerts.silences().create(
      request.tenant,
      {{}, matchers_json(silence->matchers), silence->starts, silence->ends, silence->comment, Timestamp()});
  if (!made) return silence_problem(made.error(), request);
  silence->id = made->id;
  std::string body;
  JsonWriter json(body);
  write_silence(json, *silence, request.received);
  return json_response(201, std::move(body));
}

HttpResponse answer_removed_silence(AlertService& alerts, const HttpRequest& request) {
  const Status removed = alerts.silences().remove(request.tenant, request.path_param("id").value_or(""));
  if (!removed) return silence_problem(removed.error(), request);
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace

std::vector<Route> make_silence_routes(WorkerPool& pool, AlertService& alerts) {
  Route list = alert_route("GET", "/api/v1/silences", "list_silences", "Times in which some alerts are not told");
  list.use = RouteUse::none;
  list.description = "Those that ended stay in the list for a week.";
  list.replies = {{200, "All of them.", "application/json", {}, R"({"items":[)" + std::string(kSilenceExample) + "]}"}};
  list.handler = on_workers(pool, [&alerts](const HttpRequest& request) { return answer_silences(alerts, request); });
  Route create = alert_route("POST", "/api/v1/silences", "create_silence", "Do not tell some alerts for a while");
  create.use = RouteUse::change;
  create.description =
      "Alerts whose labels fit all matchers are evaluated and shown, but not told that they fire; `alertname` is the "
      "rule's name. What was told before is told when it resolves.";
  create.request_content_type = "application/json";
  create.request_schema_json =
      R"({"type":"object","required":["matchers","ends_at"],"properties":{"matchers":{"type":"array","minItems":1,)"
      R"("items":{"type":"object","required":["name","value"],"properties":{"name":{"type":"string"},"value":{"type":)"
      R"("string"},"negated":{"type":"boolean"}}}},"starts_at":{"type":"string","format":"date-time"},"ends_at":)"
      R"({"type":"string","format":"date-time"},"comment":{"type":"string","maxLength":1024}}})";
  create.request_example =
      R"({"matchers":[{"name":"service","value":"checkout"}],"ends_at":"2026-11-20T12:00:00Z","comment":"release"})";
  create.replies = {{201, "From now on.", "application/json", {}, std::string(kSilenceExample)}};
  create.handler =
      on_workers(pool, [&alerts](const HttpRequest& request) { return answer_new_silence(alerts, request); });
  Route remove = alert_route("DELETE", "/api/v1/silences/{id}", "delete_silence", "End a silence");
  remove.use = RouteUse::change;
  remove.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "As `POST /api/v1/silences` gave it."}};
  remove.replies = {{204, "Gone.", {}, {}, {}},
                    {404, "The tenant has no silence with this id.", "application/problem+json", {}, {}}};
  remove.handler =
      on_workers(pool, [&alerts](const HttpRequest& request) { return answer_removed_silence(alerts, request); });
  std::vector<Route> routes;
  routes.push_back(std::move(list));
  routes.push_back(std::move(create));
  routes.push_back(std::move(remove));
  return routes;
}

}  // namespace dendro
