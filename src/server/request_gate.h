#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/options.h"
#include "server/request_reader.h"
#include "server/route.h"

namespace dendro {

/// A refusal before any handler runs.
struct GateRefusal {
  int status;
  std::string_view code;
  std::string detail;
};

/// Rules every request passes before its route is looked at, in this order: Host on open platform listeners (421, ui.md
/// 10.5), `server.origin_verify` (403), cross-site writes (403, ui.md 10.4), tenants in open mode (403,
/// five-systems.md 1.4). `route` is null where none answers. Pure; thread-safe.
std::optional<GateRefusal> check_gate(const ServerOptions& options, Profile profile, const RequestHead& head,
                                      const Route* route);

/// True of an IP literal (with or without brackets and port) and of a name without a dot: no public name can be rebound
/// to it.
bool is_rebinding_safe_host(std::string_view authority);
/// "logs.example.org" of "logs.example.org:8080"; brackets of an IPv6 literal stay.
std::string_view host_without_port(std::string_view authority);

}  // namespace dendro
