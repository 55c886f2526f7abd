#include "server/routes/token_routes.h"

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "identity/identity_documents.h"
#include "server/routes/credential_body.h"

namespace dendro {
namespace {

constexpr std::size_t kTokensPageMax = 1'000;
/// Rows read at once while those of other tenants are passed over.
constexpr std::size_t kTokenRowsAtOnce = 500;
constexpr std::string_view kTokenExample =
    R"({"jti":"5e0c3a6e-1a57-4b0e-9f4e-6f3a2f1c9d11","subject":"ci","tenant_ids":["shop"],"roles":["writer"],"state":)"
    R"("active","created_at":"2026-11-20T10:00:00Z","expires_at":"2026-11-20T11:00:00Z","revoked_at":null})";

HttpResponse token_problem(const HttpRequest& request, const Error& error) {
  return error_response(request.error_shape, error, request.request_id);
}

/// The token as the caller is shown it: with those of its tenants that he administers. Nothing: it is not there.
std::optional<TokenRow> shown_token(const HttpRequest& request, TokenRow row) {
  std::erase_if(row.tenants,
                [&](const std::string& tenant) { return !caller_has(request, tenant, Permission::admin); });
  if (row.tenants.empty()) return std::nullopt;
  return row;
}

HttpResponse answer_list_tokens(const OwnTokens& tokens, const HttpRequest& request) {
  const auto page = read_credential_page(request, kTokensPageMax);
  if (!page) return token_problem(request, page.error());
  std::string items;
  std::string last = page->cursor;
  for (std::size_t count = 0;;) {
    const auto rows = tokens.list(page->tenant, last, kTokenRowsAtOnce);
    if (!rows) return token_problem(request, rows.error());
    for (const TokenRow& row : *rows) {
      const auto shown = shown_token(request, row);
      if (shown && count == page->limit) return list_reply(items, last);
      last = row.jti;
      if (!shown) continue;
      if (!items.empty()) items.push_back(',');
      append_token(items, *shown, request.received);
      ++count;
    }
    if (rows->size() < kTokenRowsAtOnce) return list_reply(items, {});
  }
}

Result<MadeToken> create_token(OwnTokens& tokens, const Roles& roles, const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(CredentialBody body,
                    CredentialBody::read(request.body, {"tenants", "roles", "subject", "ttl_seconds"}));
  if (body.tenants.empty()) {
    const auto only = request.principal ? request.principal->only_tenant() : std::nullopt;
    if (!only && request.principal) {
      return Error(ErrorCode::invalid_argument, "tenants: the caller holds several: name those of the token");
    }
    body.tenants = {only.value_or(TenantId::default_tenant()).text()};
  }
  for (const std::string& tenant : body.tenants) {
    DENDRO_TRY_ASSIGN(const PermissionSet wanted, permissions_of_roles(roles, body.roles, tenant));
    DENDRO_TRY(check_may_grant(request, {tenant}, wanted, Permission::admin));
  }
  TokenRequest wanted{body.tenants, body.roles, body.subject.empty() ? "api" : body.subject, std::nullopt};
  if (body.ttl_seconds) {
    wanted.lifetime = std::min(std::chrono::seconds(*body.ttl_seconds),
                               std::chrono::seconds(OwnTokens::kLifetimeMax) + std::chrono::seconds(1));
  }
  return tokens.create(wanted);
}

HttpResponse answer_create_token(OwnTokens& tokens, const Roles& roles, const HttpRequest& request) {
  const auto made = create_token(tokens, roles, request);
  if (!made) return token_problem(request, made.error());
  std::string text;
  append_token(text, made->row, request.received);
  text.back() = ',';  // the object goes on
  append_json_string(text, "token");
  text.push_back(':');
  append_json_string(text, made->jwt);
  text.push_back('}');
  HttpResponse response = json_response(201, std::move(text));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

HttpResponse answer_revoke_token(OwnTokens& tokens, const HttpRequest& request) {
  const std::string jti(request.path_param("jti").value_or(""));
  const auto row = tokens.find(jti);
  if (!row) return token_problem(request, row.error());
  if (!*row || !shown_token(request, **row)) {
    return token_problem(request, Error(ErrorCode::not_found, "no token with the jti \"" + jti + "\""));
  }
  if (const Status revoked = tokens.revoke(jti); !revoked) return token_problem(request, revoked.error());
  HttpResponse response;
  response.status = 204;
  return response;
}

Route token_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::admin;
  route.tenant_rule = TenantRule::none;
  route.operation_id = std::move(operation_id);
  route.group = "Credentials";
  route.summary = std::move(summary);
  return route;
}

}  // namespace

std::vector<Route> make_token_routes(WorkerPool& pool, OwnTokens& tokens, const Roles& roles) {
  std::vector<Route> routes;
  Route list = token_route("GET", "/api/v1/tokens", "list_tokens", "Own tokens, the newest first");
  list.use = RouteUse::read;
  list.description = "Those for a tenant that the caller administers, with these of their tenants.";
  list.params = credential_page_params(kTokensPageMax);
  list.replies = {{200,
                   "A page, without the tokens themselves, which are stored nowhere.",
                   "application/json",
                   {},
                   R"({"items":[)" + std::string(kTokenExample) + "]}"}};
  list.handler =
      on_workers(pool, [&tokens](const HttpRequest& request) { return answer_list_tokens(tokens, request); });
  routes.push_back(std::move(list));

  Route create = token_route("POST", "/api/v1/tokens", "create_token", "Make a token");
  create.use = RouteUse::change;
  create.description =
      "Signed with SECRET_KEY, for `ttl_seconds` (`auth.token_minutes` otherwise). `tenants` is the caller's one "
      "tenant "
      "unless it says others; `[\"*\"]` is every one.";
  create.request_content_type = "application/json";
  create.request_schema_json =
      R"({"type":"object","required":["roles"],"properties":{"tenants":{"type":"array","items":{"type":"string"}},)"
      R"("roles":{"type":"array","items":{"type":"string"}},"subject":{"type":"string","maxLength":128},"ttl_seconds":)"
      R"({"type":"integer","minimum":1}}})";
  create.request_example = R"({"roles":["writer"],"subject":"ci","ttl_seconds":3600})";
  create.replies = {{201, "`token` is the token, shown this once.", "application/json", {}, {}},
                    {400, "No such role; or there is no SECRET_KEY.", "application/problem+json", {}, {}},
                    {403, "The caller cannot hand that on.", "application/problem+json", {}, {}}};
  create.handler = on_workers(
      pool, [&tokens, &roles](const HttpRequest& request) { return answer_create_token(tokens, roles, request); });
  routes.push_back(std::move(create));

  Route revoke = token_route("DELETE", "/api/v1/tokens/{jti}", "revoke_token", "Revoke a token");
  revoke.use = RouteUse::change;
  revoke.description = "It is refused from the next request on; its streams end.";
  revoke.params = {{"jti", ParamPlace::path, true, R"({"type":"string"})", "The token's id."}};
  revoke.replies = {{204, "Revoked, also if it was before.", {}, {}, {}},
                    {404, "No such token in the caller's tenants.", "application/problem+json", {}, {}}};
  revoke.handler =
      on_workers(pool, [&tokens](const HttpRequest& request) { return answer_revoke_token(tokens, request); });
  routes.push_back(std::move(revoke));
  return routes;
}

}  // namespace dendro
