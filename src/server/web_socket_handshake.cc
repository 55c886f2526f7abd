#include "server/web_socket_handshake.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "base/base64.h"
#include "server/http_text.h"
#include "server/route.h"

namespace dendro {
namespace {

constexpr std::string_view kHandshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kHandshakeKeyBytes = 16;

/// SHA-1 of a short text (FIPS 180-4, 6.1). The handshake asks for it; nothing here rests on its strength.
std::string sha1_of(std::string text) {
  std::array<std::uint32_t, 5> state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const std::uint64_t bits = text.size() * 8;
  text.push_back('\x80');
  while (text.size() % 64 != 56) text.push_back('\0');
  for (unsigned shift = 64; shift > 0; shift -= 8) text.push_back(static_cast<char>(bits >> (shift - 8) & 0xFFU));
  for (std::size_t block = 0; block < text.size(); block += 64) {
    std::array<std::uint32_t, 80> words{};
    for (std::size_t i = 0; i < 64; ++i) {
      words[i / 4] = words[i / 4] << 8U | static_cast<unsigned char>(text[block + i]);
    }
    for (std::size_t i = 16; i < 80; ++i) {
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    auto [a, b, c, d, e] = state;
    for (std::size_t i = 0; i < 80; ++i) {
      const std::uint32_t mixed = i < 20   ? (b & c) | (~b & d)
                                  : i < 40 ? b ^ c ^ d
                                  : i < 60 ? (b & c) | (b & d) | (c & d)
                                           : b ^ c ^ d;
      constexpr std::array<std::uint32_t, 4> kRounds{0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
      const std::uint32_t next = std::rotl(a, 5) + mixed + e + kRounds[i / 20] + words[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
  }
  std::string digest;
  for (const std::uint32_t word : state) {
    for (unsigned shift = 32; shift > 0; shift -= 8) digest.push_back(static_cast<char>(word >> (shift - 8) & 0xFFU));
  }
  return digest;
}

/// All rows of the name, as one list.
bool list_has(const HttpHeaders& headers, std::string_view name, std::string_view wanted) {
  return std::ranges::any_of(headers.rows(), [&](const auto& row) {
    if (!equals_folding_case(row.first, name)) return false;
    const std::vector<std::string_view> parts = split_list(row.second);
    return std::ranges::any_of(parts, [&](std::string_view part) { return equals_folding_case(part, wanted); });
  });
}

HttpResponse refuse_handshake(const HttpRequest& request, int status, std::string_view detail) {
  return error_response(request.error_shape, status, "invalid_argument", detail, request.request_id);
}

}  // namespace

bool asks_for_web_socket(const HttpHeaders& headers) {
  return list_has(headers, "Upgrade", "websocket");
}

std::string web_socket_accept_key(std::string_view key) {
  std::string accept;
  append_base64(accept, sha1_of(std::string(key).append(kHandshakeGuid)));
  return accept;
}

HttpResponse accept_web_socket(const HttpRequest& request, std::string_view subprotocol,
                               std::shared_ptr<WebSocketHandler> handler) {
  if (request.method != "GET" || !asks_for_web_socket(request.headers) ||
      !list_has(request.headers, "Connection", "upgrade")) {
    return refuse_handshake(request, 400, "a WebSocket begins with GET, Upgrade: websocket and Connection: upgrade");
  }
  if (request.headers.find("Sec-WebSocket-Version") != "13") {
    HttpResponse response = refuse_handshake(request, 426, "only version 13 of the WebSocket protocol is spoken here");
    response.headers.add("Sec-WebSocket-Version", "13");
    return response;
  }
  const std::string_view key = trim_blanks(request.headers.find("Sec-WebSocket-Key").value_or(""));
  const auto nonce = decode_base64(key);
  if (!nonce || nonce->size() != kHandshakeKeyBytes) {
    return refuse_handshake(request, 400, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  const bool names_protocols = !subprotocol.empty() && request.headers.find("Sec-WebSocket-Protocol").has_value();
  if (names_protocols && !list_has(request.headers, "Sec-WebSocket-Protocol", subprotocol)) {
    return refuse_handshake(request, 400, "the subprotocol of this path is " + std::string(subprotocol));
  }
  HttpResponse response;
  response.status = 101;
  response.headers.add("Sec-WebSocket-Accept", web_socket_accept_key(key));
  if (names_protocols) response.headers.add("Sec-WebSocket-Protocol", std::string(subprotocol));
  response.web_socket = std::move(handler);
  return response;
}

}  // namespace dendro
