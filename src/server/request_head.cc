#include "server/request_head.h"

#include <algorithm>
#include <charconv>

#include "server/http_text.h"

namespace dendro {
namespace {

using HeadCheck = std::optional<HeadRefusal>;

/// The fields that decide about framing and routing, found in one walk over the rows.
struct KnownFields {
  struct Field {
    std::string_view name;
    std::string_view first = {};  // its first value, borrowed from the head
    std::size_t count = 0;
  };
  Field host{.name = "host"};
  Field content_length{.name = "content-length"};
  Field transfer_encoding{.name = "transfer-encoding"};
  Field expect{.name = "expect"};
  Field content_encoding{.name = "content-encoding"};

  explicit KnownFields(const HttpHeaders& headers) {
    for (const auto& [name, value] : headers.rows()) {
      for (Field* field : {&host, &content_length, &transfer_encoding, &expect, &content_encoding}) {
        if (!equals_folding_case(name, field->name)) continue;
        if (field->count++ == 0) field->first = value;
      }
    }
  }
};

/// All values of a field that may be repeated, joined as RFC 9110, 5.3 says.
std::string joined_values(const RequestHead& head, const KnownFields::Field& field) {
  std::string joined;
  for (const auto& [name, value] : head.headers.rows()) {
    if (equals_folding_case(name, field.name)) joined.append(joined.empty() ? "" : ",").append(value);
  }
  return joined;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// reg-name, IP literal and port: no userinfo, path or blank can hide in it.
bool is_host_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == ':' || c == '-' ||
           std::string_view("_~!$&'()*+;=[]%").find(c) != std::string_view::npos;
  });
}

HeadCheck check_host(RequestHead& head, const KnownFields& fields) {
  if (fields.host.count > 1) return HeadRefusal{400, "malformed request: two Host fields"};
  if (fields.host.count == 0) {
    if (head.is_http_1_0) return std::nullopt;
    return HeadRefusal{400, "malformed request: no Host field"};
  }
  if (!is_host_text(fields.host.first)) return HeadRefusal{400, "malformed request: bad Host field"};
  head.authority = fields.host.first;
  return std::nullopt;
}

HeadCheck check_content_length(RequestHead& head, const KnownFields& fields) {
  if (fields.content_length.count == 0) return std::nullopt;
  if (fields.content_length.count > 1) return HeadRefusal{400, "malformed request: two Content-Length fields"};
  const std::string_view text = fields.content_length.first;
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return HeadRefusal{400, "malformed request: bad Content-Length"};
  }
  head.content_length = length;
  return std::nullopt;
}

HeadCheck check_transfer_encoding(RequestHead& head, const KnownFields& fields) {
  if (fields.transfer_encoding.count == 0) return std::nullopt;
  if (head.is_http_1_0) return HeadRefusal{400, "malformed request: Transfer-Encoding in HTTP/1.0"};
  if (head.content_length) return HeadRefusal{400, "malformed request: Content-Length beside Transfer-Encoding"};
  const std::string joined = joined_values(head, fields.transfer_encoding);
  for (const std::string_view coding : split_list(joined)) {
    if (equals_folding_case(coding, "chunked")) continue;
    return HeadRefusal{501, "only the transfer coding chunked is understood"};
  }
  if (fields.transfer_encoding.count > 1 || !equals_folding_case(trim_blanks(joined), "chunked")) {
    return HeadRefusal{400, "malformed request: Transfer-Encoding must be exactly chunked"};
  }
  head.is_chunked = true;
  return std::nullopt;
}

HeadCheck check_expect(RequestHead& head, const KnownFields& fields) {
  if (fields.expect.count == 0) return std::nullopt;
  if (fields.expect.count > 1 || !equals_folding_case(fields.expect.first, "100-continue")) {
    return HeadRefusal{417, "only the expectation 100-continue is understood"};
  }
  head.expects_continue = !head.is_http_1_0;
  return std::nullopt;
}

HeadCheck check_content_encoding(RequestHead& head, const KnownFields& fields) {
  if (fields.content_encoding.count == 0) return std::nullopt;
  bool is_packed = false;
  const std::string joined = joined_values(head, fields.content_encoding);
  for (const std::string_view coding : split_list(joined)) {
    if (equals_folding_case(coding, "identity")) continue;
    if (is_packed) return HeadRefusal{415, "stacked content codings are not understood"};
    is_packed = true;
    if (equals_folding_case(coding, "gzip") || equals_folding_case(coding, "x-gzip")) {
      head.packing = Packing::gzip;
    } else if (equals_folding_case(coding, "zstd")) {
      head.packing = Packing::zstd;
    } else if (equals_folding_case(coding, "deflate")) {
      head.packing = Packing::deflate;
    } else {
      return HeadRefusal{415, "only the content codings gzip, zstd, deflate and identity are understood"};
    }
  }
  return std::nullopt;
}

/// "http://host/path" counts as "/path" with that host (RFC 9112, 3.2.2).
HeadCheck split_target(RequestHead& head, const KnownFields&) {
  std::string_view rest = head.target;
  if (rest == "*" && head.method == "OPTIONS") {
    head.path = "*";
    return std::nullopt;
  }
  if (!rest.starts_with('/')) {
    const std::size_t scheme_bytes = equals_folding_case(rest.substr(0, 7), "http://")    ? 7
                                     : equals_folding_case(rest.substr(0, 8), "https://") ? 8
                                                                                          : 0;
    if (scheme_bytes == 0) return HeadRefusal{400, "malformed request: bad target"};
    rest.remove_prefix(scheme_bytes);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    if (authority.empty() || !is_host_text(authority)) return HeadRefusal{400, "malformed request: bad target"};
    head.authority = authority;
    rest.remove_prefix(authority.size());
  }
  const std::size_t mark = rest.find('?');
  head.path = rest.substr(0, mark);
  if (head.path.empty()) head.path = "/";
  if (mark != std::string_view::npos) head.query = rest.substr(mark + 1);
  return std::nullopt;
}

}  // namespace

std::optional<HeadRefusal> check_head(RequestHead& head) {
  constexpr HeadCheck (*kChecks[])(RequestHead&, const KnownFields&) = {
      check_host, check_content_length, check_transfer_encoding, split_target, check_expect, check_content_encoding};
  const KnownFields fields(head.headers);
  for (const auto check : kChecks) {
    if (HeadCheck refusal = check(head, fields)) return refusal;
  }
  return std::nullopt;
}

bool names_other_http_version(std::string_view first_line) {
  if (first_line.size() < 9 || std::ranges::count(first_line, ' ') != 2) return false;
  const std::string_view version = first_line.substr(first_line.size() - 9);
  return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' && is_digit(version[8]) &&
         version != " HTTP/1.1" && version != " HTTP/1.0";
}

}  // namespace dendro
