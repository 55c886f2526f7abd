#include "server/routes/key_routes.h"

#include <utility>

#include "base/json_writer.h"
#include "server/routes/credential_body.h"

namespace dendro {
namespace {

constexpr std::string_view kKeyExample =
    R"({"id":"3fA9cQ71xWbe","name":"shipper","prefix":"dk_3fA9cQ71xWbe","tenants":["acme"],"scopes":["ingest"],)"
    R"("roles":[],"created_at":"2026-11-20T10:00:00.000000Z","last_used_at":null,"expires_at":null,"state":"active"})";

HttpResponse key_problem(const Error& error, const HttpRequest& request) {
  return error_response(request.error_shape, error, request.request_id);
}

void write_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time == Timestamp()) {
    json.null();
  } else {
    json.value(to_rfc3339(time, 6));
  }
}

void write_key(JsonWriter& json, const ApiKeyRow& row, Timestamp now, const std::string* secret) {
  json.begin_object();
  json.member("id", row.id);
  json.member("name", row.name);
  json.member("prefix", std::string(ApiKeys::kPrefix) + row.id);
  json.member("tenants", row.tenants);
  json.member("scopes", row.scopes);
  json.member("roles", row.roles);
  write_time(json, "created_at", row.created);
  write_time(json, "last_used_at", row.last_used);
  write_time(json, "expires_at", row.expires);
  json.member("state", credential_state(now, row.expires, row.revoked));
  if (secret != nullptr) json.member("secret", *secret);
  json.end_object();
}

/// All that the scopes and roles of a new key let it do. Errors: invalid_argument.
Result<PermissionSet> wanted_permissions(const CredentialBody& body, const Roles& roles) {
  PermissionSet wanted;
  for (const std::string& scope : body.scopes) {
    const auto permissions = scope_permissions(scope);
    if (!permissions) {
      return Error(ErrorCode::invalid_argument, "scopes: \"" + scope + "\" is none of ingest, search, export, admin");
    }
    wanted.add(*permissions);
  }
  DENDRO_TRY(roles.check_known(body.roles));
  DENDRO_TRY_ASSIGN(const std::vector<Role> named, roles.find(body.roles));
  for (const Role& role : named) wanted.add(role.permissions);
  // The right to make and remove tenants counts of "*" only (role.h).
  if (body.tenants != std::vector<std::string>{std::string(kEveryTenant)}) wanted.remove(Permission::tenants);
  return wanted;
}

HttpResponse answer_create(ApiKeys& keys, const Roles& roles, const HttpRequest& request) {
  auto body = CredentialBody::read(request.body, {"name", "tenants", "scopes", "roles", "expires_at"});
  if (!body) return key_problem(body.error(), request);
  if (body->tenants.empty()) body->tenants = {request.tenant.text()};
  const auto wanted = wanted_permissions(*body, roles);
  if (!wanted) return key_problem(wanted.error(), request);
  if (const Status may = check_may_grant(request, body->tenants, *wanted, Permission::keys); !may) {
    return key_problem(may.error(), request);
  }
  const auto made = keys.create({body->name, body->tenants, body->scopes, body->roles, {}, body->expires});
  if (!made) return key_problem(made.error(), request);
  std::string text;
  JsonWriter json(text);
  write_key(json, made->row, request.received, &made->key);
  HttpResponse response = json_response(201, std::move(text));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

HttpResponse answer_list(const ApiKeys& keys, const HttpRequest& request) {
  const auto rows = keys.list(request.tenant.text());
  if (!rows) return key_problem(rows.error(), request);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const ApiKeyRow& row : *rows) {
    if (!is_of_tenant(request, row.tenants)) continue;
    ApiKeyRow shown = row;  // the names of tenants that the caller does not hold are theirs
    std::erase_if(shown.tenants,
                  [&](const std::string& tenant) { return !caller_has(request, tenant, Permission::keys); });
    write_key(json, shown, request.received, nullptr);
  }
  json.end_array();
  json.end_object();
  return json_response(200, std::move(text));
}

HttpResponse answer_revoke(ApiKeys& keys, const HttpRequest& request) {
  const std::string id(request.path_param("id").value_or(""));
  const auto row = keys.find(id);
  if (!row) return key_problem(row.error(), request);
  if (!*row || !is_of_tenant(request, (*row)->tenants)) {
    return key_problem(Error(ErrorCode::not_found, "no API key with the id \"" + id + "\""), request);
  }
  if (const Status revoked = keys.revoke(id); !revoked) return key_problem(revoked.error(), request);
  HttpResponse response;
  response.status = 204;
  return response;
}

Route key_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::keys;
  route.operation_id = std::move(operation_id);
  route.group = "Credentials";
  route.summary = std::move(summary);
  return route;
}

}  // namespace

std::vector<Route> make_key_routes(WorkerPool& pool, ApiKeys& keys, const Roles& roles) {
  std::vector<Route> routes;
  Route list = key_route("GET", "/api/v1/keys", "list_keys", "The tenant's API keys, the oldest first");
  list.use = RouteUse::read;
  list.replies = {{200,
                   "All of them, without their secrets.",
                   "application/json",
                   {},
                   R"({"items":[)" + std::string(kKeyExample) + "]}"}};
  list.handler = on_workers(pool, [&keys](const HttpRequest& request) { return answer_list(keys, request); });
  routes.push_back(std::move(list));

  Route create = key_route("POST", "/api/v1/keys", "create_key", "Make an API key");
  create.use = RouteUse::change;
  create.description =
      "It can do what its scopes and roles say, and no more than its maker. `tenants` is the tenant of "
      "the request unless it says others; `[\"*\"]` is every one.";
  create.request_content_type = "application/json";
  create.request_schema_json =
      R"({"type":"object","required":["name"],"properties":{"name":{"type":"string","maxLength":200},"scopes":)"
      R"({"type":"array","items":{"enum":["ingest","search","export","admin"]}},"roles":{"type":"array","items":)"
      R"({"type":"string"}},"tenants":{"type":"array","items":{"type":"string"}},"expires_at":{"type":"string"}}})";
  create.request_example = R"({"name":"shipper","scopes":["ingest"]})";
  create.replies = {{201, "`secret` is the key, shown this once.", "application/json", {}, {}},
                    {403, "The caller cannot hand that on.", "application/problem+json", {}, {}},
                    {429, "The tenant has as many keys as it may have.", "application/problem+json", {}, {}}};
  create.handler =
      on_workers(pool, [&keys, &roles](const HttpRequest& request) { return answer_create(keys, roles, request); });
  routes.push_back(std::move(create));

  Route revoke = key_route("DELETE", "/api/v1/keys/{id}", "revoke_key", "Revoke an API key");
  revoke.use = RouteUse::change;
  revoke.description = "Its next call fails, and its live tails end.";
  revoke.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The key's id."}};
  revoke.replies = {{204, "Revoked, also if it was before.", {}, {}, {}},
                    {404, "The tenant has no such key.", "application/problem+json", {}, {}}};
  revoke.handler = on_workers(pool, [&keys](const HttpRequest& request) { return answer_revoke(keys, request); });
  routes.push_back(std::move(revoke));
  return routes;
}

}  // namespace dendro
