#include "server/access_gate.h"

#include <utility>

#include "base/log.h"
#include "identity/credential_error.h"
#include "server/field_faults_json.h"
#include "server/http_text.h"
#include "server/web_socket_handshake.h"

namespace dendro {
namespace {

GateRefusal not_authenticated(std::string_view code, std::string text) {
  return {401, code, std::move(text)};
}
GateRefusal denied(std::string text) {
  return {403, "permission_denied", std::move(text)};
}

/// Bodies that a form of another site could not send without being asked first.
bool is_body_of_a_page(const HttpHeaders& headers) {
  const std::string_view given = headers.find("Content-Type").value_or("");
  const std::string_view type = trim_blanks(given.substr(0, given.find(';')));
  return equals_folding_case(type, "application/json") || equals_folding_case(type, "application/x-ndjson") ||
         equals_folding_case(type, "application/octet-stream");
}

bool changes_state(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool is_of_own_ui(const RequestHead& head) {
  return head.headers.find("X-Dendro-UI").value_or("") == "1";
}

/// A browser shows a certificate with what other sites' pages do, as it does a cookie. Programs send neither of the two
/// headers by which it is known.
std::variant<GateRefusal, Credential> credential_of_certificate(const Peer& peer, const RequestHead& head) {
  if (peer.certificate.empty()) return not_authenticated("signed_out", "Not authenticated");
  const bool is_browser = head.headers.find("Origin") || head.headers.find("Sec-Fetch-Site");
  if (is_browser && changes_state(head.method) && !is_of_own_ui(head)) {
    return denied("a browser's change that is authenticated by a certificate needs the header X-Dendro-UI: 1");
  }
  return Credential{Credential::Kind::certificate, std::string(peer.certificate)};
}

/// What may show what records say.
bool reads_records(Permission permission) {
  return permission != Permission::ingest && permission != Permission::open && permission != Permission::keys &&
         permission != Permission::users && permission != Permission::tenants;
}

GateRefusal refusal_of_tenant(const TenantAnswer& answer) {
  const Error& error = answer.status.error();
  GateRefusal refusal{http_status_of(error.code()), error_code_name(error.code()), error.message()};
  refusal.retry_after = answer.retry_after;
  return refusal;
}

std::string role_list(const AccessParts& access, Permission permission) {
  std::string text;
  if (!access.roles_with) return text;
  for (const std::string& role : access.roles_with(permission)) text.append(text.empty() ? "" : ", ").append(role);
  return text;
}

GateRefusal lacks_permission(const AccessParts& access, Permission permission) {
  std::string roles = role_list(access, permission);
  std::string text = "Insufficient permissions. Required roles: " + roles;
  GateRefusal refusal = denied(std::move(text));
  refusal.required_roles = std::move(roles);
  return refusal;
}

/// Nobody asks about one tenant: any grant that has the right will do, or the one of every tenant must.
std::variant<GateRefusal, Passage> admit_anywhere(const AccessParts& access, const Route& route,
                                                  const Principal& principal) {
  for (const Grant& grant : principal.grants) {
    if (route.tenant_rule == TenantRule::every && grant.tenant) continue;
    if (!grant.access->permissions.has(route.permission)) continue;
    return Passage{grant.tenant.value_or(TenantId::default_tenant()), grant.access};
  }
  GateRefusal refusal = lacks_permission(access, route.permission);
  if (route.tenant_rule == TenantRule::every) refusal.detail += " of every tenant";
  return refusal;
}

/// Nothing if the principal is bound to one tenant and the request names none.
std::variant<GateRefusal, TenantId> choose_tenant(const Route& route, const Principal& principal,
                                                  const std::optional<TenantId>& named) {
  if (named) return *named;
  if (route.tenant_rule == TenantRule::header) {
    return GateRefusal{422, "invalid_argument", "X-Tenant-ID is required", {}, {}, "x-tenant-id"};
  }
  if (auto only = principal.only_tenant()) return *only;
  return GateRefusal{400, "tenant_required", "the credential holds several tenants: name one by X-Tenant-ID"};
}

}  // namespace

std::optional<GateRefusal> refuse_forged_change(std::string_view method, const HttpHeaders& headers, bool has_body) {
  if (!changes_state(method)) return std::nullopt;
  if (headers.find("X-Dendro-UI").value_or("") != "1") {
    return denied("a change that is authenticated by a cookie needs the header X-Dendro-UI: 1");
  }
  if (!headers.find("Sec-Fetch-Site") && !headers.find("Origin")) {
    return denied("a change that is authenticated by a cookie must say where it is from: Sec-Fetch-Site or Origin");
  }
  if (has_body && !is_body_of_a_page(headers)) {
    return denied("a change that is authenticated by a cookie takes JSON or application/octet-stream");
  }
  return std::nullopt;
}

std::variant<GateRefusal, Credential> demand_credential(const ServerOptions& options, const Peer& peer,
                                                        const RequestHead& head) {
  const Wire wire = wire_of(options, peer, head.headers);
  auto shown = read_shown_credential(head.headers, wire);
  if (!shown) return not_authenticated("unauthenticated", shown.error().message());
  if (!*shown) return credential_of_certificate(peer, head);
  if (options.tokens_over_http == TokensOverHttp::refuse && wire == Wire::readable) {
    return denied(
        "a credential came over plain HTTP: use TLS, name the proxy that ends it in server.trusted_proxies, or set "
        "server.tokens_over_http = \"warn\"");
  }
  if ((*shown)->is_cookie) {
    if (auto forged = refuse_forged_change(head.method, head.headers, head.has_body())) return std::move(*forged);
  }
  return std::move((*shown)->credential);
}

std::variant<GateRefusal, std::optional<TenantId>> named_tenant(Profile profile, const RequestHead& head) {
  std::optional<std::string> name;
  if (const auto header = head.headers.find("X-Tenant-ID")) {
    if (header->empty()) return GateRefusal{400, "invalid_argument", "X-Tenant-ID header is required"};
    name = std::string(*header);
  }
  if (profile == Profile::platform || asks_for_web_socket(head.headers)) {
    for (const auto& [key, value] : parse_query_text(head.query)) {
      if (key != "tenant") continue;
      if (name && *name != value) {
        return GateRefusal{400, "invalid_argument", "X-Tenant-ID and the parameter tenant name different tenants"};
      }
      name = value;
    }
  }
  if (!name) return std::optional<TenantId>();
  if (*name == "*") return GateRefusal{400, "invalid_argument", "X-Tenant-ID: * is every tenant; name one"};
  auto tenant = TenantId::parse(*name);
  if (!tenant) return GateRefusal{400, "invalid_argument", "X-Tenant-ID: " + tenant.error().message()};
  return std::optional<TenantId>(std::move(*tenant));
}

std::optional<GateRefusal> refuse_open_tenant(Profile profile, const RequestHead& head) {
  auto named = named_tenant(profile, head);
  if (auto* refusal = std::get_if<GateRefusal>(&named)) return std::move(*refusal);
  const auto& tenant = std::get<std::optional<TenantId>>(named);
  if (!tenant || *tenant == TenantId::default_tenant()) return std::nullopt;
  return denied("this server has one tenant, \"default\": configure SECRET_KEY to use tenants");
}

std::variant<GateRefusal, Passage> admit(const AccessParts& access, Profile profile, const RequestHead& head,
                                         const Route& route, const PrincipalPtr& principal) {
  if (route.tenant_rule == TenantRule::none || route.tenant_rule == TenantRule::every) {
    return admit_anywhere(access, route, *principal);
  }
  auto named = named_tenant(profile, head);
  if (auto* refusal = std::get_if<GateRefusal>(&named)) return std::move(*refusal);
  auto chosen = choose_tenant(route, *principal, std::get<std::optional<TenantId>>(named));
  if (auto* refusal = std::get_if<GateRefusal>(&chosen)) return std::move(*refusal);
  TenantId& tenant = std::get<TenantId>(chosen);
  const Access* held = principal->access_to(tenant);
  if (held == nullptr) return denied("Token does not have access to tenant " + tenant.text());
  if (!held->permissions.has(route.permission)) return lacks_permission(access, route.permission);
  if (held->restricts_reading() && !route.honours_restrictions && reads_records(route.permission)) {
    return denied("a role of the caller shows it some rows or fields only, which this route cannot");
  }
  if (access.tenant_admits) {
    const TenantAnswer answer = access.tenant_admits(tenant, route.permission);
    if (!answer.status) return refusal_of_tenant(answer);
  }
  return Passage{std::move(tenant), std::shared_ptr<const Access>(principal, held)};
}

GateRefusal refusal_of_authentication(const Error& error, std::string_view request_id, Credential::Kind kind) {
  if (error.code() == ErrorCode::unauthenticated) {
    if (error.message() == kExpiredTokenText) return not_authenticated("expired", error.message());
    return not_authenticated(kind == Credential::Kind::session ? "signed_out" : "unauthenticated", error.message());
  }
  if (error.code() == ErrorCode::resource_exhausted) return {429, "resource_exhausted", error.message()};
  log(LogLevel::error, "server", "a caller could not be authenticated",
      {{"request_id", std::string(request_id)},
       {"code", std::string(error_code_name(error.code()))},
       {"error", error.message()}});
  return {503, "unavailable", "credentials cannot be checked now: retry later"};
}

HttpResponse refusal_response(ErrorShape shape, const GateRefusal& refusal, std::string_view request_id) {
  ErrorExtras extras;
  extras.required_roles = refusal.required_roles;
  std::string errors;
  if (!refusal.missing_header.empty()) {
    errors = field_faults_json(shape, {{"header", {}, refusal.missing_header, "Field required", "missing"}});
  }
  extras.errors_json = errors;
  HttpResponse response = error_response(shape, refusal.status, refusal.code, refusal.detail, request_id, extras);
  if (refusal.retry_after.count() > 0) {
    response.headers.set("Retry-After", std::to_string(refusal.retry_after.count()));
  }
  if (refusal.status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace dendro
