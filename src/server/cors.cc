#include "server/cors.h"

#include <algorithm>

#include "server/http_text.h"

namespace dendro {
namespace {

/// What our routes read and a page could not send otherwise.
constexpr std::string_view kAllowedHeaders =
    "authorization, content-type, content-encoding, idempotency-key, last-event-id, x-dendro-ack, x-dendro-ui, "
    "x-request-id, x-tenant-id";
constexpr std::string_view kExposedHeaders = "Idempotency-Replayed, Link, Location, Retry-After, X-Request-ID";

/// Scheme, host and port: nothing behind them, no user in front.
bool is_origin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    return !rest.empty() && rest.front() != ':' && rest.find_first_of("/?#@* \",") == std::string_view::npos;
  }
  return false;
}

/// Browsers write an origin in lower case and without the port that its scheme stands for.
std::string normal_origin(std::string_view text) {
  std::string origin(text);
  std::ranges::transform(origin, origin.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::string_view>("http://", ":80"), {"https://", ":443"}}) {
    if (origin.starts_with(scheme) && origin.ends_with(port)) origin.resize(origin.size() - port.size());
  }
  return origin;
}

}  // namespace

Result<CorsOrigins> CorsOrigins::parse(const std::vector<std::string>& texts) {
  CorsOrigins origins;
  for (const std::string& text : texts) {
    if (text == "*" && texts.size() == 1) {
      origins.is_any_ = true;
      return origins;
    }
    const std::string origin = normal_origin(text);
    if (!is_origin(origin)) {
      return Error(ErrorCode::invalid_argument,
                   "\"" + text +
                       "\" is no origin: write scheme, host and port, such as https://app.example.org, or \"*\" alone");
    }
    origins.origins_.push_back(origin);
  }
  return origins;
}

bool CorsOrigins::allows(std::string_view origin) const {
  if (is_any_) return true;
  return !origins_.empty() && std::ranges::find(origins_, normal_origin(origin)) != origins_.end();
}

void CorsGrant::append_to(std::string& out) const {
  switch (kind) {
    case Kind::none:
      return;
    case Kind::open_route:
    case Kind::any:
      out.append("Access-Control-Allow-Origin: *\r\n");
      return;
    case Kind::origin:
      out.append("Access-Control-Allow-Origin: ").append(origin);
      out.append("\r\nAccess-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: ");
      out.append(kExposedHeaders).append("\r\n");
      return;
  }
}

CorsGrant cors_grant(const CorsOrigins& origins, bool is_open_route, const HttpHeaders& headers) {
  if (is_open_route) return {CorsGrant::Kind::open_route};
  if (origins.is_any()) return {CorsGrant::Kind::any};
  if (origins.empty()) return {};
  const auto origin = headers.find("Origin");
  if (!origin || !origins.allows(*origin)) return {};
  return {CorsGrant::Kind::origin, std::string(*origin)};
}

HttpResponse preflight_reply(const CorsGrant& grant, std::string_view allow) {
  HttpResponse response;
  response.status = 204;
  std::string methods;
  for (const std::string_view method : split_list(allow)) {
    if (method != "HEAD") methods.append(methods.empty() ? "" : ", ").append(method);
  }
  response.headers.add("Access-Control-Allow-Methods", methods);
  const bool is_plain = grant.kind == CorsGrant::Kind::open_route;
  response.headers.add("Access-Control-Allow-Headers", is_plain ? "content-type" : std::string(kAllowedHeaders));
  response.headers.add("Access-Control-Max-Age", is_plain ? "86400" : "600");
  return response;
}

}  // namespace dendro
