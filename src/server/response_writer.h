#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/cors.h"
#include "server/http_message.h"

namespace dendro {

enum class BodyFraming : std::uint8_t {
  sized,        ///< Content-Length
  chunked,      ///< Transfer-Encoding
  until_close,  ///< HTTP/1.0: the end of the connection is the end of the body
  none,         ///< 204, 304: neither body nor length
  upgrade,      ///< 101: the connection becomes a WebSocket
};

/// What the server knows beside the handler's response.
struct ResponseContext {
  std::string_view date = {};
  std::string_view request_id = {};
  BodyFraming framing = BodyFraming::sized;
  std::uint64_t content_length = 0;  ///< with `sized`
  bool is_http_1_0 = false;          ///< of the request
  bool keep_alive = true;
  bool is_loopback = false;  ///< of the listener: adds Cross-Origin-Opener-Policy (ui.md 10.1), as https does
  bool is_https = false;
  std::chrono::seconds hsts{0};     ///< with https: adds Strict-Transport-Security if it is not 0
  const CorsGrant* cors = nullptr;  ///< null: none
  bool varies_by_origin = false;    ///< the answer to another origin's page might have other headers
};

/// Appends status line, fields and the empty line. Rows of the response that would break the framing (Content-Length,
/// Transfer-Encoding, Connection, Date) are left out, controls in values become blanks: a handler cannot split a reply.
void append_response_head(std::string& out, const HttpResponse& response, const ResponseContext& context);

/// True of statuses that never have a body.
bool is_bodiless_status(int status);

/// Appends "1f40\r\n" + bytes + "\r\n"; nothing for no bytes, which would end the body.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::string_view kContinueReply = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace dendro
