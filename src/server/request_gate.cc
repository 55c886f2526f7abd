#include "server/request_gate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/crypto_compare.h"
#include "server/http_text.h"
#include "server/web_socket_handshake.h"

namespace dendro {
namespace {

using GateCheck = std::optional<GateRefusal>;

bool is_health_path(std::string_view path) {
  return path == "/healthz" || path == "/health" || path == "/_healthz";
}

GateCheck check_host_name(const ServerOptions& options, const RequestHead& head) {
  if (head.is_http_1_0 && head.authority.empty()) return std::nullopt;  // no browser speaks so
  if (is_rebinding_safe_host(head.authority)) return std::nullopt;
  if (is_allowed_host(options, head.authority)) return std::nullopt;
  return GateRefusal{421, "misdirected_request",
                     "this server is open and does not know the host name of the request: add it to the setting "
                     "server.allowed_hosts, or use the IP address"};
}

GateCheck check_origin_verify(const ServerOptions& options, const RequestHead& head) {
  if (options.origin_verify.empty() || is_health_path(head.path)) return std::nullopt;
  if (equals_secret(head.headers.find("X-Origin-Verify").value_or(""), options.origin_verify)) return std::nullopt;
  return GateRefusal{403, "permission_denied", "requests must come through the configured proxy"};
}

/// The host that the caller asked for: a trusted proxy may have asked us by another name.
std::string_view asked_host(const ServerOptions& options, const Peer& peer, const RequestHead& head) {
  if (options.trusted_proxies.contains(peer.address)) {
    if (const auto said = head.headers.find("X-Forwarded-Host")) return *said;
  }
  return head.authority;
}

bool is_same_origin(const ServerOptions& options, const Peer& peer, const RequestHead& head, std::string_view origin) {
  std::string_view public_url = options.public_url;
  if (public_url.ends_with('/')) public_url.remove_suffix(1);
  if (!public_url.empty() && equals_folding_case(origin, public_url)) return true;
  const std::string_view host = asked_host(options, peer, head);
  const bool is_https = wire_of(options, peer, head.headers) == Wire::https;
  return !host.empty() && equals_folding_case(origin, std::string(is_https ? "https://" : "http://").append(host));
}

/// "*" stops short of WebSockets: no browser asks before it opens one, with the reader's cookies.
bool may_come_from(const CorsOrigins& origins, std::string_view origin, const RequestHead& head) {
  return origins.allows(origin) && !(origins.is_any() && asks_for_web_socket(head.headers));
}

GateCheck check_cross_site(const ServerOptions& options, Profile profile, const Peer& peer, const RequestHead& head) {
  // A page may open a WebSocket to any host, and read it: only Origin stands against that.
  const bool changes_state =
      (head.method != "GET" && head.method != "HEAD" && head.method != "OPTIONS") || asks_for_web_socket(head.headers);
  if (!changes_state || profile == Profile::ingest) return std::nullopt;
  const auto origin = head.headers.find("Origin");
  const auto site = head.headers.find("Sec-Fetch-Site");
  if (origin && may_come_from(options.cors_origins, *origin, head)) return std::nullopt;
  const bool is_same =
      (!origin || is_same_origin(options, peer, head, *origin)) && (!site || equals_folding_case(*site, "same-origin"));
  if (is_same) return std::nullopt;
  return GateRefusal{403, "permission_denied",
                     "a page of another site may not change anything here; behind a proxy set server.public_url, or "
                     "name the page's origin in server.cors_origins"};
}

bool is_ip_literal(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace

std::string_view host_without_port(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, std::min(authority.find(']'), authority.size() - 1) + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_rebinding_safe_host(std::string_view authority) {
  std::string_view host = host_without_port(authority);
  if (host.empty()) return false;
  if (host.starts_with('[')) {
    return host.ends_with(']') && is_ip_literal(std::string(host.substr(1, host.size() - 2)));
  }
  return host.find('.') == std::string_view::npos || is_ip_literal(std::string(host));
}

bool is_allowed_host(const ServerOptions& options, std::string_view authority) {
  const std::string_view host = host_without_port(authority);
  return std::ranges::any_of(options.allowed_hosts, [&](const std::string& allowed) {
    return equals_folding_case(allowed, host) || equals_folding_case(allowed, authority);
  });
}

std::optional<GateRefusal> check_gate(const ServerOptions& options, OpenServer mode, Profile profile, const Peer& peer,
                                      const RequestHead& head) {
  if (mode == OpenServer::yes && profile == Profile::platform) {
    if (GateCheck refusal = check_host_name(options, head)) return refusal;
  }
  if (GateCheck refusal = check_origin_verify(options, head)) return refusal;
  return check_cross_site(options, profile, peer, head);
}

}  // namespace dendro
