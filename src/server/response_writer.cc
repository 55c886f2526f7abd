#include "server/response_writer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "server/http_text.h"

namespace dendro {
namespace {

// ui.md 10.1.
constexpr std::string_view kSecurityFields =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=()\r\n";

constexpr std::string_view kOwnFields[] = {"connection", "content-length", "transfer-encoding", "date", "x-request-id"};

bool is_own_field(std::string_view name) {
  return std::ranges::any_of(kOwnFields, [name](std::string_view own) { return equals_folding_case(own, name); });
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

bool is_field_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  const std::size_t first = out.size();
  out.append(value).append("\r\n");
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(first), out.end() - 2, is_field_control, ' ');
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_token_char);
}

void append_framing(std::string& out, const ResponseContext& context) {
  switch (context.framing) {
    case BodyFraming::sized:
      out.append("Content-Length: ");
      append_number(out, context.content_length);
      out.append("\r\n");
      break;
    case BodyFraming::chunked:
      out.append("Transfer-Encoding: chunked\r\n");
      break;
    case BodyFraming::until_close:
    case BodyFraming::none:
      break;
    case BodyFraming::upgrade:
      out.append("Upgrade: websocket\r\nConnection: Upgrade\r\n");
      return;
  }
  if (!context.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (context.is_http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
}

}  // namespace

void append_response_head(std::string& out, const HttpResponse& response, const ResponseContext& context) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\nDate: ").append(context.date).append("\r\n");
  const bool has_type = !response.content_type.empty() && context.framing != BodyFraming::none;
  if (has_type) append_field(out, "Content-Type", response.content_type);
  append_framing(out, context);
  out.append("X-Request-ID: ").append(context.request_id).append("\r\n");
  for (const auto& [name, value] : response.headers.rows()) {
    if (is_field_name(name) && !is_own_field(name)) append_field(out, name, value);
  }
  if (!response.headers.find("Cache-Control")) out.append("Cache-Control: no-store\r\n");
  if (context.cors != nullptr) context.cors->append_to(out);
  if (context.varies_by_origin) out.append("Vary: Origin\r\n");
  if (context.is_loopback || context.is_https) out.append("Cross-Origin-Opener-Policy: same-origin\r\n");
  if (context.is_https && context.hsts.count() > 0) {
    out.append("Strict-Transport-Security: max-age=");
    append_number(out, static_cast<std::uint64_t>(context.hsts.count()));
    out.append("\r\n");
  }
  out.append(kSecurityFields).append("\r\n");
}

bool is_bodiless_status(int status) {
  return status == 204 || status == 304 || (status >= 100 && status < 200);
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  append_number(out, bytes.size(), 16);
  out.append("\r\n").append(bytes).append("\r\n");
}

}  // namespace dendro
