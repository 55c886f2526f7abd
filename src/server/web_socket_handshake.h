#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/http_message.h"
#include "server/web_socket.h"

namespace dendro {

/// True of a request that asks to become a WebSocket, well or badly.
bool asks_for_web_socket(const HttpHeaders& headers);

/// The 101 of RFC 6455, 4.2.2, behind which `handler` has the connection; or the refusal: 400, or 426 with the version
/// spoken here. `subprotocol` is the only one there is; a client that names none gets none. Empty: there is none, and
/// what a client names is passed over.
HttpResponse accept_web_socket(const HttpRequest& request, std::string_view subprotocol,
                               std::shared_ptr<WebSocketHandler> handler);

/// Sec-WebSocket-Accept of a Sec-WebSocket-Key.
std::string web_socket_accept_key(std::string_view key);

}  // namespace dendro
