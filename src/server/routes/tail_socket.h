#pragma once

#include <memory>

#include "base/worker_pool.h"
#include "server/gate_refusal.h"
#include "server/http_message.h"
#include "server/web_socket.h"
#include "services/tail/tail_hub.h"

namespace dendro {

class UseRecording;

/// The subprotocol.
inline constexpr std::string_view kTailProtocol = "dendro.tail.v1";

/// One reader over a WebSocket: `start` messages in, frames out, the next one when the last has been taken.
std::shared_ptr<WebSocketHandler> make_tail_socket(const HttpRequest& request, WorkerPool& workers, TailHub& hub,
                                                   std::shared_ptr<const UseRecording> recording);
/// The same for a caller who may not have one: an `end` frame that says why, and the close.
std::shared_ptr<WebSocketHandler> make_refused_tail_socket(const HttpRequest& request, const GateRefusal& refusal);

}  // namespace dendro
