#include "server/routes/saved_routes.h"

#include <algorithm>
#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "server/routes/search_route.h"

namespace dendro {
namespace {

constexpr std::string_view kSavedSchema =
    R"({"type":"object","required":["id","name","query","settings","created_at","updated_at"],"properties":{)"
    R"("id":{"type":"string"},"name":{"type":"string"},"query":{"type":"string"},"settings":{"type":"object"},)"
    R"("created_at":{"type":"string"},"updated_at":{"type":"string"}}})";
constexpr std::string_view kSavedExample =
    R"({"id":"5f0c2f1e9a7b4d33","name":"slow payments","query":"service:pay duration_ms:>500","settings":{"columns":)"
    R"(["body"]},"created_at":"2026-11-20T10:00:00.000000000Z","updated_at":"2026-11-20T10:00:00.000000000Z"})";

HttpResponse saved_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}

void write_saved(JsonWriter& json, const SavedQuery& saved) {
  json.begin_object();
  json.member("id", saved.id);
  json.member("name", saved.name);
  json.member("query", saved.query);
  json.key("settings");
  json.raw(saved.settings);
  json.member("created_at", to_rfc3339(saved.created));
  json.member("updated_at", to_rfc3339(saved.updated));
  json.end_object();
}

HttpResponse saved_response(int status, const SavedQuery& saved) {
  std::string body;
  JsonWriter json(body);
  write_saved(json, saved);
  return json_response(status, std::move(body));
}

Result<SavedQueries::Contents> read_contents(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  if (!body.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  SavedQueries::Contents contents;
  contents.settings = "{}";
  for (const auto& [name, value] : body.members()) {
    if (name == "name" || name == "query") {
      if (!value.is_string()) return Error(ErrorCode::invalid_argument, name + ": must be a text");
      (name == "name" ? contents.name : contents.query) = *value.as_string();
    } else if (name == "settings") {
      if (!value.is_object()) return Error(ErrorCode::invalid_argument, "settings: must be an object");
      contents.settings.clear();
      append_json(contents.settings, value);
    } else {
      return Error(ErrorCode::invalid_argument, name + ": there is no such member; known are name, query, settings");
    }
  }
  return contents;
}

HttpResponse answer_list(const SavedQueries& saved, const HttpRequest& request) {
  const auto all = saved.list(request.tenant);
  if (!all) return saved_problem(all.error(), request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const SavedQuery& one : *all) write_saved(json, one);
  json.end_array();
  json.end_object();
  return json_response(200, std::move(body));
}

HttpResponse answer_create(SavedQueries& saved, const HttpRequest& request) {
  const auto contents = read_contents(request);
  if (!contents) return saved_problem(contents.error(), request);
  const auto made = saved.create(request.tenant, *contents);
  return made ? saved_response(201, *made) : saved_problem(made.error(), request);
}

HttpResponse answer_get(const SavedQueries& saved, const HttpRequest& request) {
  const auto found = saved.get(request.tenant, request.path_param("id").value_or(""));
  return found ? saved_response(200, *found) : saved_problem(found.error(), request);
}

HttpResponse answer_replace(SavedQueries& saved, const HttpRequest& request) {
  const auto contents = read_contents(request);
  if (!contents) return saved_problem(contents.error(), request);
  const auto replaced = saved.replace(request.tenant, request.path_param("id").value_or(""), *contents);
  return replaced ? saved_response(200, *replaced) : saved_problem(replaced.error(), request);
}

HttpResponse answer_remove(SavedQueries& saved, const HttpRequest& request) {
  const Status removed = saved.remove(request.tenant, request.path_param("id").value_or(""));
  if (!removed) return saved_problem(removed.error(), request);
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse answer_shorten(ShortLinks& links, const HttpRequest& request) {
  const auto body = parse_json_document(request.body);
  if (!body) return saved_problem(body.error(), request);
  const JsonValue* const path = body->find("path");
  if (path == nullptr || !path->is_string()) {
    return saved_problem(Error(ErrorCode::invalid_argument, "path: must be there and a text"), request);
  }
  const auto link = links.create(request.tenant, std::string(*path->as_string()));
  if (!link) return saved_problem(link.error(), request);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("code", link->code);
  json.member("url", "/s/" + link->code);
  json.member("expires_at", to_rfc3339(link->expires));
  json.end_object();
  return json_response(201, std::move(text));
}

HttpResponse answer_open(const ShortLinks& links, const HttpRequest& request) {
  const auto link = links.open(request.path_param("code").value_or(""));
  if (!link) return saved_problem(link.error(), request);
  HttpResponse response;
  response.status = 302;
  response.headers.add("Location", link->path);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

void take_contents(Route& route) {
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object","required":["name","query"],"properties":{"name":{"type":"string","maxLength":200},)"
      R"("query":{"type":"string","maxLength":65536},"settings":{"type":"object","description":"what the page keeps )"
      R"(beside it, at most 16 KiB"}}})";
  route.request_example = R"({"name":"slow payments","query":"service:pay duration_ms:>500"})";
}

RouteParam id_param() {
  return {"id", ParamPlace::path, true, R"({"type":"string"})", "As `POST /api/v1/saved` gave it."};
}
RouteReply no_such_saved() {
  return {404, "The tenant has no saved query with this id.", "application/problem+json", {}, {}};
}
RouteReply saved_reply(int status, std::string text) {
  return {status, std::move(text), "application/json", std::string(kSavedSchema), std::string(kSavedExample)};
}
RouteReply name_is_taken() {
  return {409, "The name is taken.", "application/problem+json", {}, {}};
}

}  // namespace

std::vector<Route> make_saved_routes(WorkerPool& pool, SavedQueries& saved, ShortLinks& links) {
  std::vector<Route> routes;
  Route list = search_route("GET", "/api/v1/saved", "list_saved_queries", "The tenant's saved queries, by name");
  list.use = RouteUse::none;
  list.description = "A filter that is saved as `name` can stand in a query as `$name`.";
  list.replies = {{200, "All of them.", "application/json", {}, R"({"items":[)" + std::string(kSavedExample) + "]}"}};
  list.handler = on_workers(pool, [&saved](const HttpRequest& request) { return answer_list(saved, request); });
  routes.push_back(std::move(list));

  Route create = search_route("POST", "/api/v1/saved", "create_saved_query", "Keep a query under a name");
  create.use = RouteUse::change;
  take_contents(create);
  create.replies = {saved_reply(201, "It is on disk."), name_is_taken()};
  create.handler = on_workers(pool, [&saved](const HttpRequest& request) { return answer_create(saved, request); });
  routes.push_back(std::move(create));

  Route get = search_route("GET", "/api/v1/saved/{id}", "get_saved_query", "One saved query");
  get.use = RouteUse::none;
  get.params = {id_param()};
  get.replies = {saved_reply(200, "The query."), no_such_saved()};
  get.handler = on_workers(pool, [&saved](const HttpRequest& request) { return answer_get(saved, request); });
  routes.push_back(std::move(get));

  Route replace = search_route("PUT", "/api/v1/saved/{id}", "replace_saved_query", "Replace name, query and settings");
  replace.use = RouteUse::change;
  replace.params = {id_param()};
  take_contents(replace);
  replace.replies = {saved_reply(200, "As it is now."), no_such_saved(), name_is_taken()};
  replace.handler = on_workers(pool, [&saved](const HttpRequest& request) { return answer_replace(saved, request); });
  routes.push_back(std::move(replace));

  Route remove = search_route("DELETE", "/api/v1/saved/{id}", "delete_saved_query", "Forget a saved query");
  remove.use = RouteUse::change;
  remove.params = {id_param()};
  remove.replies = {{204, "Gone.", {}, {}, {}}, no_such_saved()};
  remove.handler = on_workers(pool, [&saved](const HttpRequest& request) { return answer_remove(saved, request); });
  routes.push_back(std::move(remove));

  Route shorten = search_route("POST", "/api/v1/short", "create_short_link", "A short link to a page");
  shorten.use = RouteUse::change;
  shorten.description = "Good for 90 days. Who opens it sees what their own rights allow.";
  shorten.request_content_type = "application/json";
  shorten.request_schema_json =
      R"({"type":"object","required":["path"],"properties":{"path":{"type":"string","maxLength":16384}}})";
  shorten.request_example = R"({"path":"/explore?q=error&start=now-1h"})";
  shorten.replies = {{201,
                      "The link.",
                      "application/json",
                      {},
                      R"({"code":"8fKq2LmX0a","url":"/s/8fKq2LmX0a","expires_at":"2027-02-18T10:00:00.000000000Z"})"}};
  shorten.handler = on_workers(pool, [&links](const HttpRequest& request) { return answer_shorten(links, request); });
  routes.push_back(std::move(shorten));

  Route open = search_route("GET", "/s/{code}", "open_short_link", "Go where a short link leads");
  open.use = RouteUse::none;
  open.permission = Permission::open;
  open.params = {{"code", ParamPlace::path, true, R"({"type":"string"})", "10 characters."}};
  open.replies = {{302, "`Location` has the page.", {}, {}, {}},
                  {404, "Never made, or expired.", "application/problem+json", {}, {}}};
  open.handler = on_workers(pool, [&links](const HttpRequest& request) { return answer_open(links, request); });
  routes.push_back(std::move(open));
  return routes;
}

}  // namespace dendro
