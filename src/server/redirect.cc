#include "server/redirect.h"

#include <optional>

#include "server/access_gate.h"
#include "server/request_gate.h"
#include "server/shown_credential.h"

namespace dendro {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

/// "https://logs.example.org:8443"; nothing for a host we do not know.
std::optional<std::string> tls_origin(const ServerOptions& options, std::uint16_t tls_port, const RequestHead& head) {
  if (options.public_url.starts_with("https://")) {
    std::string url = options.public_url;
    while (url.ends_with('/')) url.pop_back();
    return url;
  }
  if (tls_port == 0 || !is_allowed_host(options, head.authority)) return std::nullopt;
  std::string origin = "https://" + std::string(host_without_port(head.authority));
  if (tls_port != kHttpsPort) origin += ":" + std::to_string(tls_port);
  return origin;
}

/// An Authorization that cannot be read is one, too. A cookie that still goes over HTTP is no reason not to lead a
/// browser.
bool shows_secret(const HttpHeaders& headers) {
  const auto shown = read_shown_credential(headers, Wire::readable);
  return !shown || (shown->has_value() && !(*shown)->is_cookie);
}

}  // namespace

std::variant<GateRefusal, std::string> place_over_tls(const ServerOptions& options, std::uint16_t tls_port,
                                                      const Peer& peer, const RequestHead& head) {
  if (options.tokens_over_http == TokensOverHttp::refuse && shows_secret(head.headers) &&
      wire_of(options, peer, head.headers) == Wire::readable) {
    return GateRefusal{403, "permission_denied",
                       "a credential came over plain HTTP and may have been read on its way: change it, and use https"};
  }
  const auto origin = tls_origin(options, tls_port, head);
  if (!origin) {
    return GateRefusal{421, "misdirected_request",
                       "this listener does not know the host name of the request: set server.public_url, or add the "
                       "name to server.allowed_hosts"};
  }
  std::string target = head.path == "*" ? "/" : head.path;
  if (!head.query.empty()) target += "?" + head.query;
  return *origin + target;
}

}  // namespace dendro
