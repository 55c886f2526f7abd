#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/gate_refusal.h"
#include "server/options.h"
#include "server/peer.h"
#include "server/profile.h"
#include "server/request_reader.h"

namespace dendro {

/// Whether nobody must show a credential.
enum class OpenServer : bool { no, yes };

/// Rules every request passes before anyone asks who calls, in this order: Host on open platform listeners (421, ui.md
/// 10.5), `server.origin_verify` (403), cross-site writes but for those of `server.cors_origins` (403, ui.md 10.4).
/// Pure; thread-safe.
std::optional<GateRefusal> check_gate(const ServerOptions& options, OpenServer mode, Profile profile, const Peer& peer,
                                      const RequestHead& head);

/// Whether `server.allowed_hosts` names the host, with or without its port.
bool is_allowed_host(const ServerOptions& options, std::string_view authority);
/// True of an IP literal (with or without brackets and port) and of a name without a dot: no public name can be rebound
/// to it.
bool is_rebinding_safe_host(std::string_view authority);
/// "logs.example.org" of "logs.example.org:8080"; brackets of an IPv6 literal stay.
std::string_view host_without_port(std::string_view authority);

}  // namespace dendro
