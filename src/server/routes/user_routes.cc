#include "server/routes/user_routes.h"

#include <algorithm>
#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "identity/identity_documents.h"
#include "server/routes/credential_body.h"

namespace dendro {
namespace {

constexpr std::size_t kUsersPageMax = 1'000;
constexpr std::string_view kUserExample =
    R"({"id":"5f0c2f1e9a7b4d33","email":"tom@example.org","grants":[{"tenant":"shop","roles":["reader"]}],"state":)"
    R"("active","locked_until":null,"created_at":"2026-11-20T10:00:00Z","last_sign_in_at":null})";

HttpResponse user_problem(const HttpRequest& request, const Error& error) {
  return error_response(request.error_shape, error, request.request_id);
}

Error no_such_user(std::string_view id) {
  return Error(ErrorCode::not_found, "no user with the id \"" + std::string(id) + "\"");
}

struct UserBody {
  std::optional<std::string> email, password;
  std::optional<std::vector<UserGrantRow>> grants;
  std::optional<bool> disabled;
  bool unlock = false;
};

Error bad_user_member(std::string_view name, std::string_view what) {
  return Error(ErrorCode::invalid_argument, std::string(name) + ": must be " + std::string(what));
}

Result<std::vector<UserGrantRow>> read_grants(const JsonValue& value) {
  const Error fault = bad_user_member("grants", R"(a list of {"tenant":"..","roles":["..",..]})");
  if (!value.is_array()) return fault;
  std::vector<UserGrantRow> grants;
  for (const JsonValue& element : value.elements()) {
    const JsonValue* const tenant = element.find("tenant");
    const JsonValue* const roles = element.find("roles");
    if (element.members().size() != 2 || tenant == nullptr || roles == nullptr) return fault;
    if (!tenant->is_string() || !roles->is_array()) return fault;
    UserGrantRow grant{std::string(*tenant->as_string()), {}};
    for (const JsonValue& role : roles->elements()) {
      if (!role.is_string()) return fault;
      grant.roles.emplace_back(*role.as_string());
    }
    grants.push_back(std::move(grant));
  }
  return grants;
}

Status read_user_member(const std::string& name, const JsonValue& value, UserBody& body) {
  if (name == "grants") {
    DENDRO_TRY_ASSIGN(body.grants, read_grants(value));
    return {};
  }
  if (name == "disabled" || name == "unlock") {
    const auto truth = value.as_bool();
    if (!truth) return bad_user_member(name, "true or false");
    if (name == "unlock") {
      body.unlock = *truth;
    } else {
      body.disabled = *truth;
    }
    return {};
  }
  const auto text = value.as_string();
  if (!text) return bad_user_member(name, "a text");
  (name == "email" ? body.email : body.password) = std::string(*text);
  return {};
}

Result<UserBody> read_user_body(const HttpRequest& request, const std::vector<std::string_view>& known) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(request.body));
  if (!document.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  UserBody body;
  for (const auto& [name, value] : document.members()) {
    if (std::ranges::find(known, name) == known.end()) return unknown_member(name, known);
    if (!value.is_null()) DENDRO_TRY(read_user_member(name, value, body));
  }
  return body;
}

/// Whether the caller manages accounts in a tenant ("*": in every one).
bool manages_users_of(const HttpRequest& request, const std::string& tenant) {
  return caller_has(request, tenant, Permission::users);
}

/// Every right of these grants is one that the caller has, where they are.
Status check_may_manage(const HttpRequest& request, const std::vector<UserGrantRow>& grants, const Roles& roles) {
  for (const UserGrantRow& grant : grants) {
    DENDRO_TRY_ASSIGN(const PermissionSet wanted, permissions_of_roles(roles, grant.roles, grant.tenant));
    DENDRO_TRY(check_may_grant(request, {grant.tenant}, wanted, Permission::users));
  }
  return {};
}

/// What concerns the whole account is for those who have every right that it has, in every tenant.
Status check_may_manage_all(const HttpRequest& request, const UserRow& row, const Roles& roles) {
  const bool is_his = std::ranges::all_of(
      row.grants, [&](const UserGrantRow& grant) { return manages_users_of(request, grant.tenant); });
  if (is_his) return check_may_manage(request, row.grants, roles);
  // Which tenants these are is not for him to know.
  return Error(ErrorCode::permission_denied,
               "the account has roles in other tenants, too: take away those that it has in the caller's instead");
}

/// What of an account the caller is shown: the grants where it manages accounts. Nothing: the account is not there.
std::optional<UserRow> shown_user(const HttpRequest& request, UserRow row) {
  std::erase_if(row.grants, [&](const UserGrantRow& grant) { return !manages_users_of(request, grant.tenant); });
  if (row.grants.empty()) return std::nullopt;
  return row;
}

/// The account of the path as it is, where the caller is shown any of it: one of other tenants only is not there.
Result<UserRow> user_of_path(const Users& users, const HttpRequest& request) {
  const std::string id(request.path_param("id").value_or(""));
  DENDRO_TRY_ASSIGN(const auto row, users.find(id));
  if (!row || !shown_user(request, *row)) return no_such_user(id);
  return *row;
}

Result<std::string> user_json(const Users& users, const HttpRequest& request, const UserRow& row) {
  DENDRO_TRY_ASSIGN(const auto locked_until, users.locked_until(row));
  std::string text;
  append_user(text, shown_user(request, row).value_or(row), locked_until);
  return text;
}

HttpResponse user_reply(const Users& users, const HttpRequest& request, int status, const std::string& id) {
  const auto row = users.find(id);
  if (!row) return user_problem(request, row.error());
  if (!*row) return user_problem(request, no_such_user(id));
  auto text = user_json(users, request, **row);
  return text ? json_response(status, std::move(*text)) : user_problem(request, text.error());
}

HttpResponse answer_list_users(const Users& users, const HttpRequest& request) {
  const auto page = read_credential_page(request, kUsersPageMax);
  if (!page) return user_problem(request, page.error());
  const auto rows = users.list(page->tenant);
  if (!rows) return user_problem(request, rows.error());
  std::string items;
  std::string last;
  std::size_t count = 0;
  for (const UserRow& row : *rows) {  // by e-mail address
    if (row.email <= page->cursor) continue;
    const auto shown = shown_user(request, row);
    if (!shown) continue;
    if (count == page->limit) return list_reply(items, last);
    const auto text = user_json(users, request, *shown);
    if (!text) return user_problem(request, text.error());
    items.append(items.empty() ? "" : ",").append(*text);
    last = row.email;
    ++count;
  }
  return list_reply(items, {});
}

HttpResponse answer_create_user(Users& users, const Roles& roles, const HttpRequest& request) {
  const auto body = read_user_body(request, {"email", "password", "grants"});
  if (!body) return user_problem(request, body.error());
  if (!body->email || !body->password || !body->grants) {
    return user_problem(request, Error(ErrorCode::invalid_argument, "email, password and grants must be there"));
  }
  if (const Status may = check_may_manage(request, *body->grants, roles); !may)
    return user_problem(request, may.error());
  const auto made = users.create(*body->email, *body->password, *body->grants);
  return made ? user_reply(users, request, 201, made->id) : user_problem(request, made.error());
}

/// Those grants instead of the ones that the caller manages; what the account has elsewhere stays.
std::vector<UserGrantRow> grants_with(const HttpRequest& request, const UserRow& row,
                                      const std::vector<UserGrantRow>& wanted) {
  std::vector<UserGrantRow> grants = wanted;
  for (const UserGrantRow& grant : row.grants) {
    if (!manages_users_of(request, grant.tenant)) grants.push_back(grant);
  }
  return grants;
}

Status change_user_of(Users& users, const Roles& roles, const HttpRequest& request, const UserRow& row,
                      const UserBody& body) {
  if (body.grants) {
    DENDRO_TRY(check_may_manage(request, *body.grants, roles));
    const auto shown = shown_user(request, row);
    DENDRO_TRY(check_may_manage(request, shown ? shown->grants : row.grants, roles));
  }
  // These are about the whole account: who may sign in as it, and whether.
  const bool is_about_all = body.password || body.disabled || body.unlock;
  if (is_about_all) DENDRO_TRY(check_may_manage_all(request, row, roles));
  if (body.disabled) DENDRO_TRY(users.set_disabled(row.id, *body.disabled));
  if (body.grants) DENDRO_TRY(users.set_grants(row.id, grants_with(request, row, *body.grants)));
  if (body.password) DENDRO_TRY(users.set_password(row.id, *body.password));
  return body.unlock ? users.unlock(row.id) : Status();
}

HttpResponse answer_change_user(Users& users, const Roles& roles, const HttpRequest& request) {
  const auto row = user_of_path(users, request);
  if (!row) return user_problem(request, row.error());
  const auto body = read_user_body(request, {"password", "grants", "disabled", "unlock"});
  if (!body) return user_problem(request, body.error());
  const Status changed = change_user_of(users, roles, request, *row, *body);
  return changed ? user_reply(users, request, 200, row->id) : user_problem(request, changed.error());
}

HttpResponse answer_remove_user(Users& users, const Roles& roles, const HttpRequest& request) {
  const auto row = user_of_path(users, request);
  if (!row) return user_problem(request, row.error());
  if (const Status may = check_may_manage_all(request, *row, roles); !may) return user_problem(request, may.error());
  if (const Status removed = users.remove(row->id); !removed) return user_problem(request, removed.error());
  HttpResponse response;
  response.status = 204;
  return response;
}

Route user_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::users;
  route.tenant_rule = TenantRule::none;
  route.operation_id = std::move(operation_id);
  route.group = "Users";
  route.summary = std::move(summary);
  if (route.path.find("{id}") != std::string::npos) {
    route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The account's id."}};
  }
  return route;
}

RouteReply user_doc(int status, std::string text) {
  return {status, std::move(text), "application/json", R"({"type":"object"})", std::string(kUserExample)};
}
RouteReply no_user_doc() {
  return {404, "No such account, or one of other tenants only.", "application/problem+json", {}, {}};
}
RouteReply beyond_rights_doc() {
  return {403,
          "It would give or touch a right that the caller does not have; or end the last administrator.",
          "application/problem+json",
          {},
          {}};
}

constexpr std::string_view kGrantsSchema =
    R"({"type":"array","items":{"type":"object","required":["tenant","roles"],"properties":{"tenant":{"type":"string"},)"
    R"("roles":{"type":"array","items":{"type":"string"}}}}})";

}  // namespace

std::vector<Route> make_user_routes(WorkerPool& pool, Users& users, const Roles& roles) {
  std::vector<Route> routes;
  Route list = user_route("GET", "/api/v1/users", "list_users", "Local accounts, by e-mail address");
  list.use = RouteUse::read;
  list.description = "Those with a role in a tenant whose accounts the caller manages, and what they have there.";
  list.params = credential_page_params(kUsersPageMax);
  list.replies = {{200, "A page.", "application/json", {}, R"({"items":[)" + std::string(kUserExample) + "]}"}};
  list.handler = on_workers(pool, [&users](const HttpRequest& request) { return answer_list_users(users, request); });
  routes.push_back(std::move(list));

  Route create = user_route("POST", "/api/v1/users", "create_user", "Make a local account");
  create.use = RouteUse::change;
  create.description = "The password has 12 to 128 characters. Addresses are unique in the whole installation.";
  create.request_content_type = "application/json";
  create.request_schema_json =
      R"({"type":"object","required":["email","password","grants"],"properties":{"email":{"type":"string","maxLength":)"
      R"(254},"password":{"type":"string","minLength":12,"maxLength":128},"grants":)" +
      std::string(kGrantsSchema) + "}}";
  create.request_example =
      R"({"email":"tom@example.org","password":"...","grants":[{"tenant":"shop","roles":["reader"]}]})";
  create.replies = {
      user_doc(201, "The account."),
      beyond_rights_doc(),
      {409, "The address has an account already.", "application/problem+json", {}, {}},
      {429, "Passwords are being hashed already, or there are 10,000 accounts.", "application/problem+json", {}, {}}};
  create.handler = on_workers(
      pool, [&users, &roles](const HttpRequest& request) { return answer_create_user(users, roles, request); });
  routes.push_back(std::move(create));

  Route change = user_route("PATCH", "/api/v1/users/{id}", "change_user", "Change a local account");
  change.use = RouteUse::change;
  change.description =
      "Members that are absent stay. `grants` replaces what the account has in the tenants that the caller manages. A "
      "new "
      "`password`, and `disabled`, end its sessions; a new password and `unlock` forget its failed sign-ins.";
  change.request_content_type = "application/json";
  change.request_schema_json =
      R"({"type":"object","properties":{"grants":)" + std::string(kGrantsSchema) +
      R"(,"password":{"type":"string","minLength":12,"maxLength":128},"disabled":{"type":"boolean"},"unlock":{"type":)"
      R"("boolean"}}})";
  change.request_example = R"({"disabled":true})";
  change.replies = {user_doc(200, "As it is now."), beyond_rights_doc(), no_user_doc()};
  change.handler = on_workers(
      pool, [&users, &roles](const HttpRequest& request) { return answer_change_user(users, roles, request); });
  routes.push_back(std::move(change));

  Route remove = user_route("DELETE", "/api/v1/users/{id}", "delete_user", "Delete a local account");
  remove.use = RouteUse::change;
  remove.description = "Its sessions end. Who does not manage all of its tenants takes away its grants instead.";
  remove.replies = {{204, "Gone.", {}, {}, {}}, beyond_rights_doc(), no_user_doc()};
  remove.handler = on_workers(
      pool, [&users, &roles](const HttpRequest& request) { return answer_remove_user(users, roles, request); });
  routes.push_back(std::move(remove));
  return routes;
}

}  // namespace dendro
