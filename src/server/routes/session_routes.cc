#include "server/routes/session_routes.h"

#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "ingest/limits.h"
#include "server/access_gate.h"
#include "server/client_address.h"
#include "server/routes/session_document.h"
#include "server/session_cookie.h"
#include "server/shown_credential.h"

namespace dendro {
namespace {

constexpr std::string_view kSessionPath = "/api/v1/session";
constexpr std::string_view kOidcCookie = "oidc";
constexpr std::uint64_t kSignInBodyBytesMax = std::uint64_t{16} << 10;
constexpr std::string_view kSessionExample =
    R"({"user":{"id":"user:5f0c2f1e9a7b4d33","name":"anna@example.org","kind":"user"},"tenants":[{"id":"shop","name":)"
    R"("Shop","role":"reader","permissions":["search","export","stats","stream"]}],"instance_admin":false,)"
    R"("guest":{"used":0,"limit":0},"expires_at":"2026-11-20T22:00:00Z"})";

PageCookie session_cookie(const HttpRequest& request) {
  return {kPlainSessionCookie, request.wire};
}
PageCookie oidc_cookie(const HttpRequest& request) {
  return {kOidcCookie, request.wire};
}

HttpResponse session_problem(const HttpRequest& request, const Error& error) {
  HttpResponse response = error_response(request.error_shape, error, request.request_id);
  if (response.status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}
HttpResponse session_refusal(const HttpRequest& request, const GateRefusal& refusal) {
  return refusal_response(request.error_shape, refusal, request.request_id);
}

/// Why a sign-in failed, as far as a stranger may know: addresses of providers and key servers stay inside.
HttpResponse sign_in_problem(const HttpRequest& request, const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid_argument:
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
    case ErrorCode::resource_exhausted:
      return session_problem(request, error);
    default:
      break;
  }
  log(LogLevel::error, "server", "a sign-in could not be judged",
      {{"request_id", request.request_id},
       {"code", std::string(error_code_name(error.code()))},
       {"error", error.message()}});
  return session_problem(request, Error(ErrorCode::unavailable, "sign-ins cannot be checked now: retry later"));
}

/// A password or a cookie that anybody on the way could have read is of no use any more.
std::optional<GateRefusal> refuse_readable(const SessionRouteParts& parts, const HttpRequest& request) {
  const bool is_taken = request.wire != Wire::readable || parts.options.tokens_over_http == TokensOverHttp::warn;
  if (is_taken) return std::nullopt;
  return GateRefusal{403, "permission_denied",
                     "sign-in came over plain HTTP: use TLS, name the proxy that ends it in server.trusted_proxies, or "
                     "set server.tokens_over_http = \"warn\""};
}

/// Counts a try of the address that it comes from.
std::optional<GateRefusal> refuse_hasty(const SessionRouteParts& parts, const std::string& address) {
  const std::chrono::seconds wait = parts.identity.sign_in_rate().admit(client_network(address));
  if (wait.count() == 0) return std::nullopt;
  GateRefusal refusal{429, "resource_exhausted",
                      "too many sign-ins from this address: try again in " + std::to_string(wait.count()) + " s"};
  refusal.retry_after = wait;
  return refusal;
}

void set_session(HttpResponse& response, const SessionRouteParts& parts, const HttpRequest& request,
                 const OpenedSession& opened) {
  response.headers.add("Set-Cookie",
                       session_cookie(request).set(opened.secret, parts.identity.sessions().limits().lifetime));
  response.headers.set("Cache-Control", "no-store");
}

/// The session that the browser had goes: a new sign-in leaves no second cookie good.
Status end_shown_session(const SessionRouteParts& parts, const HttpRequest& request) {
  const std::string_view secret = session_cookie(request).value_in(request.headers);
  return secret.empty() ? Status() : parts.identity.sessions().end(secret);
}

HttpResponse answer_session(const SessionRouteParts& parts, const HttpRequest& request) {
  if (!parts.identity.is_auth_configured()) return json_response(200, open_session_document());
  if (const auto refusal = refuse_readable(parts, request)) return session_refusal(request, *refusal);
  const auto shown = read_shown_credential(request.headers, request.wire);
  if (!shown) return session_problem(request, shown.error());
  if (!*shown) return session_refusal(request, {401, "signed_out", "Not authenticated"});
  const Credential& credential = (*shown)->credential;
  const auto principal = parts.identity.authenticator().authenticate(credential);
  if (!principal) {
    return session_refusal(request, refusal_of_authentication(principal.error(), request.request_id, credential.kind));
  }
  HttpResponse response = json_response(200, session_document(**principal, parts.tenants));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

struct SignInBody {
  std::string method, email, password, token;
};

Result<SignInBody> read_sign_in(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(request.body));
  if (!document.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  SignInBody body;
  for (const auto& [name, value] : document.members()) {
    std::string* const member = name == "method"     ? &body.method
                                : name == "email"    ? &body.email
                                : name == "password" ? &body.password
                                : name == "token"    ? &body.token
                                                     : nullptr;
    if (member == nullptr) {
      return Error(ErrorCode::invalid_argument,
                   name + ": there is no such member; known are method, email, password, token");
    }
    if (!value.is_string()) return Error(ErrorCode::invalid_argument, name + ": must be a text");
    *member = *value.as_string();
  }
  return body;
}

Result<OpenedSession> sign_in_with(const SessionRouteParts& parts, const SignInBody& body, const std::string& peer) {
  if (body.method == "local") return parts.identity.sign_in().sign_in(body.email, body.password, peer);
  if (body.method == "token") return parts.identity.sessions().open_with(body.token, peer);
  if (body.method == "firebase") {
    return Error(ErrorCode::invalid_argument, "method: this server has no Firebase project; known are local and token");
  }
  return Error(ErrorCode::invalid_argument, "method: must be local or token");
}

HttpResponse answer_sign_in(const SessionRouteParts& parts, const HttpRequest& request) {
  if (const auto refusal = refuse_readable(parts, request)) return session_refusal(request, *refusal);
  const bool is_of_browser = request.headers.find("Origin") || request.headers.find("Sec-Fetch-Site") ||
                             !session_cookie(request).value_in(request.headers).empty();
  // Signed in as somebody else by another site's page, a user would tell him what he searches for.
  if (is_of_browser) {
    if (const auto forged = refuse_forged_change(request.method, request.headers, true)) {
      return session_refusal(request, *forged);
    }
  }
  const std::string address = request.client_address;
  if (const auto hasty = refuse_hasty(parts, address)) return session_refusal(request, *hasty);
  const auto body = read_sign_in(request);
  if (!body) return session_problem(request, body.error());
  const auto opened = sign_in_with(parts, *body, address);
  if (!opened) return sign_in_problem(request, opened.error());
  if (const Status ended = end_shown_session(parts, request); !ended) return session_problem(request, ended.error());
  HttpResponse response = json_response(201, session_document(*opened->principal, parts.tenants));
  set_session(response, parts, request, *opened);
  return response;
}

HttpResponse answer_sign_out(const SessionRouteParts& parts, const HttpRequest& request) {
  if (!session_cookie(request).value_in(request.headers).empty()) {
    if (const auto forged = refuse_forged_change(request.method, request.headers, false)) {
      return session_refusal(request, *forged);
    }
  }
  if (const Status ended = end_shown_session(parts, request); !ended) return session_problem(request, ended.error());
  HttpResponse response;
  response.status = 204;
  response.headers.add("Set-Cookie", session_cookie(request).clear());
  response.headers.add("Clear-Site-Data", R"("cache", "cookies", "storage")");
  response.headers.add("Cache-Control", "no-store");
  return response;
}

/// Where the provider sends browsers back. It knows which addresses are ours, so a forged Host leads nowhere.
Result<std::string> callback_of(const SessionRouteParts& parts, const HttpRequest& request) {
  std::string base = parts.options.public_url;
  while (base.ends_with('/')) base.pop_back();
  if (base.empty()) {
    const std::string_view host = request.headers.find("Host").value_or("");
    if (host.empty()) return Error(ErrorCode::invalid_argument, "Host: must be there, or set server.public_url");
    base = (request.wire == Wire::https ? "https://" : "http://") + std::string(host);
  }
  return base + std::string(kSessionPath) + "/oidc/callback";
}

HttpResponse leads_to(const std::string& location) {
  HttpResponse response;
  response.status = 303;
  response.headers.add("Location", location);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

HttpResponse no_provider(const HttpRequest& request) {
  return session_problem(request, Error(ErrorCode::not_found, "no provider is configured to sign in with (auth.oidc)"));
}

HttpResponse answer_oidc_begin(const SessionRouteParts& parts, const HttpRequest& request) {
  OidcSignIn* const oidc = parts.identity.oidc();
  if (oidc == nullptr) return no_provider(request);
  if (const auto refusal = refuse_readable(parts, request)) return session_refusal(request, *refusal);
  if (const auto hasty = refuse_hasty(parts, request.client_address)) return session_refusal(request, *hasty);
  const auto callback = callback_of(parts, request);
  if (!callback) return session_problem(request, callback.error());
  const auto started = oidc->begin(*callback, std::string(request.query_param("next").value_or("/")));
  if (!started) return sign_in_problem(request, started.error());
  HttpResponse response = leads_to(started->location);
  response.headers.add("Set-Cookie", oidc_cookie(request).set(started->memory, OidcSignIn::kLifetime));
  return response;
}

HttpResponse answer_oidc_end(const SessionRouteParts& parts, const HttpRequest& request) {
  OidcSignIn* const oidc = parts.identity.oidc();
  if (oidc == nullptr) return no_provider(request);
  if (const auto refusal = refuse_readable(parts, request)) return session_refusal(request, *refusal);
  const std::string address = request.client_address;
  if (const auto hasty = refuse_hasty(parts, address)) return session_refusal(request, *hasty);
  const auto param = [&request](std::string_view name) { return std::string(request.query_param(name).value_or("")); };
  OidcSignIn::Answer answer{std::string(oidc_cookie(request).value_in(request.headers)), param("state"), param("code"),
                            param("error"), param("iss")};
  const auto finished = oidc->finish(answer, address);
  HttpResponse response = finished ? leads_to(finished->next) : sign_in_problem(request, finished.error());
  if (finished) {
    if (const Status ended = end_shown_session(parts, request); !ended) return session_problem(request, ended.error());
    set_session(response, parts, request, finished->session);
  }
  response.headers.add("Set-Cookie", oidc_cookie(request).clear());
  return response;
}

std::string_view sign_in_mode(IdentityParts& identity) {
  if (!identity.is_auth_configured()) return "open";
  if (identity.oidc() != nullptr) return "oidc";
  return identity.has_users() ? "local" : "token";
}

HttpResponse answer_config(const SessionRouteParts& parts) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("mode", sign_in_mode(parts.identity));
  json.key("sign_in");
  json.begin_array();
  if (parts.identity.has_users()) json.value("local");
  if (parts.identity.oidc() != nullptr) json.value("oidc");
  if (parts.identity.is_auth_configured()) json.value("token");
  json.end_array();
  json.key("limits");
  json.begin_object();
  json.member("ingest_body_bytes", kMaxIngestBodyBytes);
  json.member("idempotency_key_bytes", kMaxIdempotencyKeyBytes);
  json.member("session_seconds", std::int64_t{parts.identity.sessions().limits().lifetime.count()});
  json.end_object();
  json.key("providers");
  json.raw("[]");
  json.member("version", parts.version);
  json.end_object();
  return json_response(200, std::move(text));
}

Route session_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.use = RouteUse::none;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::open;
  route.tenant_rule = TenantRule::none;
  route.operation_id = std::move(operation_id);
  route.group = "Session";
  route.summary = std::move(summary);
  route.body_bytes_max = kSignInBodyBytesMax;
  return route;
}

RouteReply problem_reply(int status, std::string description) {
  return {status, std::move(description), "application/problem+json", {}, {}};
}
RouteReply session_reply(int status, std::string description) {
  return {status, std::move(description), "application/json", R"({"type":"object"})", std::string(kSessionExample)};
}
RouteReply too_hasty() {
  return problem_reply(429,
                       "Too many sign-ins of the address, or failures of the account; `Retry-After` or the text "
                       "says until when.");
}

Route get_session_route(const SessionRouteParts& parts) {
  Route route = session_route("GET", std::string(kSessionPath), "get_session", "Who I am, and what I may do where");
  route.description = "Of the cookie, or of any other credential. Where nobody is asked who they are `user` is null.";
  route.replies = {session_reply(200, "The caller."),
                   problem_reply(401, "`code` is `signed_out` or `expired`; `unauthenticated` of an Authorization.")};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_session(parts, request); });
  return route;
}

Route sign_in_route(const SessionRouteParts& parts) {
  Route route = session_route("POST", std::string(kSessionPath), "sign_in", "Sign in");
  route.description =
      "`local`: e-mail address and password of an account. `token`: a JWT or an API key. The cookie of the reply is "
      "`__Host-sid` by TLS, else `sid`; browsers send `X-Dendro-UI: 1` with it on every change. A wrong address and a "
      "wrong password are answered alike.";
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object","required":["method"],"properties":{"method":{"enum":["local","token"]},"email":{"type":)"
      R"("string"},"password":{"type":"string"},"token":{"type":"string"}}})";
  route.request_example = R"({"method":"local","email":"anna@example.org","password":"..."})";
  route.replies = {session_reply(201, "Signed in; `Set-Cookie` has the session."),
                   problem_reply(401, "Wrong address or password; a credential that is not good."),
                   problem_reply(403, "The account is disabled; or a page of another site sent it."), too_hasty()};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_sign_in(parts, request); });
  return route;
}

Route sign_out_route(const SessionRouteParts& parts) {
  Route route = session_route("DELETE", std::string(kSessionPath), "sign_out", "Sign out");
  route.description = "Ends the session of the cookie; its streams end.";
  route.replies = {{204, "It is over, also if it was before.", {}, {}, {}}};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_sign_out(parts, request); });
  return route;
}

Route oidc_begin_route(const SessionRouteParts& parts) {
  Route route = session_route("GET", std::string(kSessionPath) + "/oidc", "begin_oidc_sign_in",
                              "Sign in with the configured provider");
  route.description = "For browsers: leads to the provider (OpenID Connect, authorization code with PKCE).";
  route.params = {{"next", ParamPlace::query, false, R"({"type":"string","default":"/"})",
                   "A path of this server to come back to."}};
  route.replies = {{303, "To the provider.", {}, {}, {}},
                   problem_reply(400, "`next` leads elsewhere."),
                   problem_reply(404, "No provider is configured."),
                   too_hasty(),
                   problem_reply(503, "The provider does not answer.")};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_oidc_begin(parts, request); });
  return route;
}

Route oidc_end_route(const SessionRouteParts& parts) {
  Route route = session_route("GET", std::string(kSessionPath) + "/oidc/callback", "end_oidc_sign_in",
                              "Where the provider sends the browser back");
  for (const char* const name : {"code", "state", "iss", "error"}) {
    route.params.push_back({name, ParamPlace::query, false, R"({"type":"string"})", "As the provider says it."});
  }
  route.replies = {{303, "Signed in: to `next`.", {}, {}, {}},
                   problem_reply(401, "Not what was asked for; the server's log says why."),
                   problem_reply(403, "The provider refused the user."),
                   problem_reply(404, "No provider is configured."),
                   too_hasty(),
                   problem_reply(503, "The provider does not answer.")};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_oidc_end(parts, request); });
  return route;
}

Route config_route(const SessionRouteParts& parts) {
  Route route = session_route("GET", "/api/v1/config", "get_config", "What a page must know before anybody signs in");
  route.description = "`mode` is how to sign in first; `sign_in` has every way. Nothing in it is secret.";
  route.replies = {{200,
                    "",
                    "application/json",
                    {},
                    R"({"mode":"local","sign_in":["local","token"],"limits":{"ingest_body_bytes":67108864,)"
                    R"("idempotency_key_bytes":128,"session_seconds":43200},"providers":[],"version":"0.1.0"})"}};
  route.handler = on_workers(parts.workers, [parts](const HttpRequest&) { return answer_config(parts); });
  return route;
}

}  // namespace

std::vector<Route> make_session_routes(const SessionRouteParts& parts) {
  std::vector<Route> routes;
  routes.push_back(config_route(parts));
  routes.push_back(get_session_route(parts));
  routes.push_back(sign_in_route(parts));
  routes.push_back(sign_out_route(parts));
  routes.push_back(oidc_begin_route(parts));
  routes.push_back(oidc_end_route(parts));
  return routes;
}

}  // namespace dendro
