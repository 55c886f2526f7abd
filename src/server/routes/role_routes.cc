#include "server/routes/role_routes.h"

#include <algorithm>
#include <utility>

#include "base/json_document.h"
#include "identity/role_document.h"
#include "server/routes/credential_body.h"

namespace dendro {
namespace {

constexpr std::string_view kRoleExample =
    R"({"name":"support","permissions":["search","stats"],"row_filter":"{service=\"payments\"}","hidden_fields":)"
    R"(["card_number"],"masked_fields":["email"],"read_only":false})";

HttpResponse role_problem(const HttpRequest& request, const Error& error) {
  return error_response(request.error_shape, error, request.request_id);
}

HttpResponse answer_list_roles(const Roles& roles, const HttpRequest& request) {
  const auto all = roles.list();
  if (!all) return role_problem(request, all.error());
  std::string items;
  for (const Role& role : *all) {
    if (!items.empty()) items.push_back(',');
    append_role(items, role);
  }
  return list_reply(items, {});
}

Result<std::string> put_role(Roles& roles, const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(request.body));
  if (!document.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  DENDRO_TRY_ASSIGN(Role role, parse_role(document));
  DENDRO_TRY(check_may_grant(request, {std::string(kEveryTenant)}, role.permissions, Permission::admin));
  DENDRO_TRY(roles.put(role));
  std::string text;
  append_role(text, role);
  return text;
}

HttpResponse answer_put_role(Roles& roles, const HttpRequest& request) {
  auto text = put_role(roles, request);
  return text ? json_response(200, std::move(*text)) : role_problem(request, text.error());
}

HttpResponse answer_remove_role(Roles& roles, const HttpRequest& request) {
  const Status removed = roles.remove(std::string(request.path_param("name").value_or("")));
  if (!removed) return role_problem(request, removed.error());
  HttpResponse response;
  response.status = 204;
  return response;
}

Route role_route(std::string method, std::string path, TenantRule rule, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::admin;
  route.tenant_rule = rule;
  route.operation_id = std::move(operation_id);
  route.group = "Users";
  route.summary = std::move(summary);
  return route;
}

}  // namespace

std::vector<Route> make_role_routes(WorkerPool& pool, Roles& roles) {
  std::vector<Route> routes;
  Route list = role_route("GET", "/api/v1/roles", TenantRule::none, "list_roles", "All roles, built-in ones first");
  list.use = RouteUse::read;
  list.replies = {{200, "All.", "application/json", {}, R"({"items":[)" + std::string(kRoleExample) + "]}"}};
  list.handler = on_workers(pool, [&roles](const HttpRequest& request) { return answer_list_roles(roles, request); });
  routes.push_back(std::move(list));

  Route put = role_route("PUT", "/api/v1/roles", TenantRule::every, "put_role", "Make a role, or replace it");
  put.use = RouteUse::change;
  put.description =
      "The one of its `name`. It holds from the next request of everybody who has it. Built-in roles and those of the "
      "configuration are changed there.";
  put.request_content_type = "application/json";
  put.request_schema_json =
      R"({"type":"object","required":["name","permissions"],"properties":{"name":{"type":"string","pattern":)"
      R"("^[a-z][a-z0-9_-]{0,62}$"},"permissions":{"type":"array","items":{"type":"string"}},"row_filter":{"type":)"
      R"("string","maxLength":4096},"hidden_fields":{"type":"array","items":{"type":"string"}},"masked_fields":{"type":)"
      R"("array","items":{"type":"string"}}}})";
  put.request_example = R"({"name":"support","permissions":["search"],"hidden_fields":["card_number"]})";
  put.replies = {
      {200, "The role.", "application/json", {}, std::string(kRoleExample)},
      {400, "What is wrong with it.", "application/problem+json", {}, {}},
      {403, "The caller does not have such a right, or the role is read-only.", "application/problem+json", {}, {}}};
  put.handler = on_workers(pool, [&roles](const HttpRequest& request) { return answer_put_role(roles, request); });
  routes.push_back(std::move(put));

  Route remove = role_route("DELETE", "/api/v1/roles/{name}", TenantRule::every, "delete_role", "Remove a role");
  remove.use = RouteUse::change;
  remove.description = "Who has it keeps its name without any right.";
  remove.params = {{"name", ParamPlace::path, true, R"({"type":"string"})", "The role's name."}};
  remove.replies = {{204, "Gone.", {}, {}, {}},
                    {403, "It is read-only.", "application/problem+json", {}, {}},
                    {404, "No such role.", "application/problem+json", {}, {}}};
  remove.handler =
      on_workers(pool, [&roles](const HttpRequest& request) { return answer_remove_role(roles, request); });
  routes.push_back(std::move(remove));
  return routes;
}

}  // namespace dendro
