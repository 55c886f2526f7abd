#include "server/routes/tenant_routes.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "server/field_faults_json.h"
#include "server/routes/tenant_lookup.h"

namespace dendro {
namespace {

constexpr std::string_view kTenantSchema =
    R"({"type":"object","required":["id","tenant_id","name","settings","created_at"],"properties":{)"
    R"("id":{"type":"string"},"tenant_id":{"type":"string"},"name":{"type":"string"},)"
    R"("settings":{"type":"object"},"created_at":{"type":["string","null"]}}})";
constexpr std::string_view kTenantExample =
    R"({"id":"65f0c2f1e9a7b4d330aa11bb","tenant_id":"acme","name":"Acme","settings":{"retention_days":90,)"
    R"("log_levels":["INFO","WARNING","ERROR","CRITICAL"]},"created_at":"2026-11-20T10:00:00.000000Z"})";
constexpr std::size_t kNameCharactersMax = 200;
constexpr std::size_t kApiKeyBytesMax = 512;

HttpResponse tenant_problem(const HttpRequest& request, const Error& error) {
  return error_response(request.error_shape, error, request.request_id);
}
HttpResponse not_found(const HttpRequest& request) {
  return tenant_problem(request, Error(ErrorCode::not_found, "Tenant not found"));
}
HttpResponse invalid_body(const HttpRequest& request, const FieldFaults& faults) {
  const std::string errors = field_faults_json(request.error_shape, faults);
  return error_response(request.error_shape, 422, error_code_name(ErrorCode::invalid_argument), faults[0].message,
                        request.request_id, {errors, {}});
}

/// Open mode has no tenants to manage.
std::optional<HttpResponse> refuse_all_tenants(const HttpRequest& request) {
  if (!request.principal) {
    return tenant_problem(request,
                          Error(ErrorCode::permission_denied,
                                "this server has one tenant, \"default\": configure SECRET_KEY to use tenants"));
  }
  if (request.principal->holds_every_tenant()) return std::nullopt;
  return tenant_problem(
      request, Error(ErrorCode::permission_denied, "Insufficient permissions. Required roles: admin of every tenant"));
}

bool is_implicit(const Tenant& tenant) {
  return tenant.created == Timestamp();
}

/// Those that the caller may see, by id.
std::vector<Tenant> visible_tenants(const TenantService& tenants, const HttpRequest& request) {
  std::vector<Tenant> visible;
  if (request.principal && request.principal->holds_every_tenant()) {
    for (const auto& tenant : tenants.list()) visible.push_back(*tenant);
    return visible;
  }
  std::vector<TenantId> ids;
  if (!request.principal) ids.push_back(TenantId::default_tenant());
  if (request.principal) {
    for (const Grant& grant : request.principal->grants) ids.push_back(*grant.tenant);
  }
  for (const TenantId& id : ids) {
    if (!may_administer(request, id)) continue;
    const auto found = tenants.find(id);
    visible.push_back(found ? *found : implicit_tenant(id));
  }
  std::ranges::sort(visible, {}, [](const Tenant& tenant) { return tenant.id.text(); });
  return visible;
}

HttpResponse tenant_response(int status, const Tenant& tenant) {
  std::string body;
  JsonWriter json(body);
  write_tenant(json, tenant);
  return json_response(status, std::move(body));
}

using CheckMasking = std::function<Status(const MaskRules&)>;

struct TenantBody {
  std::optional<std::string> tenant_id, name, api_key;
  TenantSettings settings;
  FieldFaults faults;
};

void read_text(const JsonValue& value, std::string_view field, std::size_t max, std::optional<std::string>& member,
               TenantBody& body) {
  const auto text = value.as_string();
  if (text && !text->empty() && text->size() <= max) {
    member = std::string(*text);
  } else {
    body.faults.push_back({"body",
                           {},
                           std::string(field),
                           "must be a text of 1 to " + std::to_string(max) + " bytes",
                           text ? "value_error" : "string_type"});
  }
}

/// Members that are absent or null leave what `settings` says; others than these are ignored, as S2 does.
TenantBody read_tenant_body(const HttpRequest& request, TenantSettings settings, const CheckMasking& check_masking) {
  TenantBody body;
  body.settings = std::move(settings);
  const auto document = parse_json_document(request.body);
  if (!document || !document->is_object()) {
    body.faults.push_back(
        {"body", {}, {}, document ? "the body must be an object" : document.error().message(), "json_invalid"});
    return body;
  }
  for (const auto& [name, value] : document->members()) {
    if (value.is_null()) continue;
    if (name == "tenant_id") read_text(value, name, 63, body.tenant_id, body);
    if (name == "name") read_text(value, name, kNameCharactersMax, body.name, body);
    if (name == "api_key") read_text(value, name, kApiKeyBytesMax, body.api_key, body);
    if (name != "settings") continue;
    read_tenant_settings(value, body.settings, body.faults);
    if (!body.faults.empty() || value.find("masking") == nullptr || body.settings.masking == nullptr) continue;
    const Status checked = check_masking ? check_masking(*body.settings.masking) : Status();
    if (!checked) body.faults.push_back({"body", {}, "settings.masking", checked.error().message(), "value_error"});
  }
  return body;
}

HttpResponse answer_create(TenantService& tenants, const CheckMasking& check_masking, const HttpRequest& request) {
  if (auto refused = refuse_all_tenants(request)) return std::move(*refused);
  TenantBody body = read_tenant_body(request, {}, check_masking);
  const auto require = [&faults = body.faults](const std::optional<std::string>& member, const std::string& name) {
    const auto is_of_member = [&name](const FieldFault& fault) { return fault.field == name; };
    if (!member && std::ranges::none_of(faults, is_of_member)) {
      faults.push_back(missing_fault(name));
    }
  };
  require(body.tenant_id, "tenant_id");
  require(body.name, "name");
  if (body.tenant_id && !is_tenant_name(*body.tenant_id)) {
    body.faults.push_back({"body",
                           {},
                           "tenant_id",
                           "1 to 63 letters, digits, dots, hyphens and underscores, a letter or digit first",
                           "value_error"});
  }
  if (!body.faults.empty()) return invalid_body(request, body.faults);
  const auto made = tenants.create({*body.tenant_id, *body.name, body.settings, body.api_key.value_or("")});
  if (made) return tenant_response(201, **made);
  if (made.error().code() != ErrorCode::already_exists) return tenant_problem(request, made.error());
  return error_response(request.error_shape, 400, error_code_name(ErrorCode::already_exists), made.error().message(),
                        request.request_id);
}

/// A parameter of paging; a fault where it is out of its range.
std::size_t read_page_param(const HttpRequest& request, std::string name, std::size_t min, std::size_t max,
                            std::size_t otherwise, FieldFaults& faults) {
  const auto text = request.query_param(name);
  if (!text) return otherwise;
  std::size_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (read.ec == std::errc() && read.ptr == text->data() + text->size() && number >= min && number <= max) {
    return number;
  }
  faults.push_back({"query",
                    {},
                    std::move(name),
                    "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max),
                    "value_error"});
  return otherwise;
}

HttpResponse answer_list(const TenantService& tenants, const HttpRequest& request) {
  FieldFaults faults;
  const std::size_t skip = read_page_param(request, "skip", 0, 1'000'000, 0, faults);
  const std::size_t limit = read_page_param(request, "limit", 1, 1'000, 100, faults);
  if (!faults.empty()) return invalid_body(request, faults);
  const std::vector<Tenant> visible = visible_tenants(tenants, request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("data");
  json.begin_array();
  const std::size_t last = std::min(visible.size(), skip + limit);
  for (std::size_t i = skip; i < last; ++i) write_tenant(json, visible[i]);
  json.end_array();
  json.key("meta");
  json.begin_object();
  json.key("pagination");
  json.begin_object();
  json.member("total", visible.size());
  json.member("page", skip / limit + 1);
  json.member("size", limit);
  json.end_object();
  json.end_object();
  json.end_object();
  return json_response(200, std::move(body));
}

HttpResponse answer_get(const TenantService& tenants, const HttpRequest& request) {
  const auto tenant = tenant_of_path(tenants, request);
  return tenant ? tenant_response(200, *tenant) : not_found(request);
}

HttpResponse answer_replace(TenantService& tenants, const CheckMasking& check_masking, const HttpRequest& request) {
  const auto tenant = tenant_of_path(tenants, request);
  if (!tenant) return not_found(request);
  const TenantBody body = read_tenant_body(request, tenant->settings, check_masking);
  if (!body.faults.empty()) return invalid_body(request, body.faults);
  if (is_implicit(*tenant)) {
    const auto made = tenants.create({tenant->id.text(), body.name.value_or(tenant->name), body.settings, {}});
    return made ? tenant_response(200, **made) : tenant_problem(request, made.error());
  }
  const auto changed = tenants.replace(tenant->id, body.name.value_or(tenant->name), body.settings);
  return changed ? tenant_response(200, **changed) : tenant_problem(request, changed.error());
}

HttpResponse answer_remove(TenantService& tenants, const HttpRequest& request) {
  if (auto refused = refuse_all_tenants(request)) return std::move(*refused);
  const auto tenant = tenants.find(request.path_param("id").value_or(""));
  if (!tenant) return not_found(request);
  if (const Status removed = tenants.remove(tenant->id); !removed) return tenant_problem(request, removed.error());
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse answer_suspend(TenantService& tenants, const HttpRequest& request, bool is_suspended) {
  if (auto refused = refuse_all_tenants(request)) return std::move(*refused);
  const auto tenant = tenants.find(request.path_param("id").value_or(""));
  if (!tenant) return not_found(request);
  const auto changed = tenants.set_suspended(tenant->id, is_suspended);
  return changed ? tenant_response(200, **changed) : tenant_problem(request, changed.error());
}

Route tenant_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::admin;
  route.tenant_rule = TenantRule::none;
  route.operation_id = std::move(operation_id);
  route.group = "Tenants";
  route.summary = std::move(summary);
  if (route.path.find("{id}") != std::string::npos) {
    route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "`tenant_id`, or `id`."}};
  }
  return route;
}

RouteReply tenant_reply(int status, std::string description) {
  return {status, std::move(description), "application/json", std::string(kTenantSchema), std::string(kTenantExample)};
}
RouteReply no_such_tenant() {
  return {
      404, "`Tenant not found`: also of a tenant that the caller does not hold.", "application/problem+json", {}, {}};
}
RouteReply bad_tenant() {
  return {422, "`errors` names each field.", "application/problem+json", {}, {}};
}

void take_tenant(Route& route, std::string required) {
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object",)" + required +
      R"("properties":{"tenant_id":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"},)"
      R"("name":{"type":"string","maxLength":200},"api_key":{"type":"string","maxLength":512},"settings":{"type":)"
      R"("object","properties":{"retention_days":{"type":"integer","minimum":1,"maximum":36500},"log_levels":{"type":)"
      R"("array","items":{"enum":["INFO","WARNING","ERROR","CRITICAL"]}},"quota":{"type":"object","properties":{)"
      R"("requests_per_s":{"type":"integer"},"ingest_bytes_per_day":{"type":"integer"},)"
      R"("queries_at_once":{"type":"integer"},"query_timeout_ms":{"type":"integer"}}},)"
      R"("masking":{"type":["array","null"],"items":{"type":"object","required":["name"],"properties":{"name":{"type":)"
      R"("string"},"fields":{"type":"array","items":{"type":"string"}},"pattern":{},"regex":{"type":"string"},"action":)"
      R"({"enum":["mask","hash","drop","tokenize"]},"keep_last":{"type":"integer"}}}}}}}})";
  route.request_example = R"({"tenant_id":"acme","name":"Acme","settings":{"retention_days":90}})";
}

}  // namespace

std::vector<Route> make_tenant_routes(WorkerPool& pool, TenantService& tenants,
                                      std::function<Status(const MaskRules&)> check_masking) {
  std::vector<Route> routes;
  Route create = tenant_route("POST", "/api/v1/tenants", "create_tenant", "Create a tenant");
  create.use = RouteUse::change;
  create.permission = Permission::tenants;
  create.description =
      "For an admin of every tenant. A tenant that a credential names needs no creation: it is there "
      "with the defaults.";
  take_tenant(create, R"("required":["tenant_id","name"],)");
  create.replies = {tenant_reply(201, "It is on disk."),
                    {400, "`Tenant with ID <id> already exists`.", "application/problem+json", {}, {}},
                    bad_tenant()};
  create.handler = on_workers(pool, [&tenants, check_masking](const HttpRequest& request) {
    return answer_create(tenants, check_masking, request);
  });
  routes.push_back(std::move(create));

  Route list = tenant_route("GET", "/api/v1/tenants", "list_tenants", "The caller's tenants, by id");
  list.use = RouteUse::read;
  list.params = {
      {"skip", ParamPlace::query, false, R"({"type":"integer","minimum":0,"default":0})", "How many to leave out."},
      {"limit", ParamPlace::query, false, R"({"type":"integer","minimum":1,"maximum":1000,"default":100})",
       "How many at most."}};
  list.replies = {
      {200,
       "A page of them.",
       "application/json",
       {},
       R"({"data":[)" + std::string(kTenantExample) + R"(],"meta":{"pagination":{"total":1,"page":1,"size":100}}})"},
      bad_tenant()};
  list.handler = on_workers(pool, [&tenants](const HttpRequest& request) { return answer_list(tenants, request); });
  routes.push_back(std::move(list));

  Route get = tenant_route("GET", "/api/v1/tenants/{id}", "get_tenant", "One tenant");
  get.use = RouteUse::read;
  get.replies = {tenant_reply(200, "The tenant."), no_such_tenant()};
  get.handler = on_workers(pool, [&tenants](const HttpRequest& request) { return answer_get(tenants, request); });
  routes.push_back(std::move(get));

  Route replace = tenant_route("PUT", "/api/v1/tenants/{id}", "replace_tenant", "Change name and settings");
  replace.use = RouteUse::change;
  replace.description =
      "Members that are absent stay. `quota` holds 0 for what has no bound: requests_per_s, "
      "ingest_bytes_per_day (decompressed, UTC days), queries_at_once, query_timeout_ms. `masking` is the whole list "
      "of "
      "rules; null: those of the server's configuration.";
  take_tenant(replace, {});
  replace.replies = {tenant_reply(200, "As it is now."), no_such_tenant(), bad_tenant()};
  replace.handler = on_workers(pool, [&tenants, check_masking](const HttpRequest& request) {
    return answer_replace(tenants, check_masking, request);
  });
  routes.push_back(std::move(replace));

  Route remove = tenant_route("DELETE", "/api/v1/tenants/{id}", "delete_tenant", "Delete a tenant and all it stored");
  remove.use = RouteUse::change;
  remove.permission = Permission::tenants;
  remove.description =
      "For an admin of every tenant. Answers when its records and its rows are gone; a deletion that a "
      "kill interrupts goes on at the next start.";
  remove.replies = {{204, "Nothing of it is left.", {}, {}, {}}, no_such_tenant()};
  remove.handler = on_workers(pool, [&tenants](const HttpRequest& request) { return answer_remove(tenants, request); });
  routes.push_back(std::move(remove));

  for (const bool is_suspended : {true, false}) {
    Route route =
        is_suspended
            ? tenant_route("POST", "/api/v1/tenants/{id}/suspend", "suspend_tenant", "Refuse a tenant's requests")
            : tenant_route("POST", "/api/v1/tenants/{id}/resume", "resume_tenant", "Take them again");
    route.use = RouteUse::change;
    route.permission = Permission::tenants;
    route.replies = {tenant_reply(200, "As it is now."), no_such_tenant()};
    route.handler = on_workers(pool, [&tenants, is_suspended](const HttpRequest& request) {
      return answer_suspend(tenants, request, is_suspended);
    });
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace dendro
