#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "server/gate_refusal.h"
#include "server/peer.h"
#include "server/request_reader.h"

namespace dendro {

/// Where a request to a listener `redirect` should have gone: the same target below `server.public_url`, or at the host
/// that was asked for if `server.allowed_hosts` names it, so that nobody is led to a host of a stranger's choice.
///
/// @param tls_port  of our listener with TLS; 0: none here has it, then only public_url helps.
/// Refusals: 421 (a host we do not know), 403 (a credential that was readable on its way: whoever sends it must hear
/// so, and a redirection would hide it).
std::variant<GateRefusal, std::string> place_over_tls(const ServerOptions& options, std::uint16_t tls_port,
                                                      const Peer& peer, const RequestHead& head);

}  // namespace dendro
