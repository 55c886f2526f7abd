#include <algorithm>

#include "filter/literal.h"
#include "filter/sensitive/detectors.h"

namespace dendro::sensitive {
namespace {

constexpr std::size_t kLocalPartMax = 256;  ///< bytes looked at before the sign; 64 characters are allowed

bool is_local_part(char c) {
  return is_alnum(c) || is_beyond_ascii(c) || std::string_view("._+-'!#$&*/=?^`{|}~").find(c) != std::string_view::npos;
}
/// Characters that are right inside an address, but at its begin more often something else's end: `to='a@b.org`.
bool is_local_start(char c) {
  return is_alnum(c) || is_beyond_ascii(c) || c == '_';
}
bool is_domain(char c) {
  return is_alnum(c) || is_beyond_ascii(c) || c == '-';
}

/// The number of the octet that begins at `at`, at most three digits, without leading zeros; -1: there is none.
int octet_at(std::string_view text, std::size_t& at) {
  int number = 0;
  std::size_t digits = 0;
  while (digits < 3 && is_digit(byte_at(text, at))) {
    number = number * 10 + (text[at++] - '0');
    ++digits;
  }
  const bool has_leading_zero = digits > 1 && text[at - digits] == '0';
  return digits == 0 || has_leading_zero || number > 255 || is_digit(byte_at(text, at)) ? -1 : number;
}

bool is_in_ipv6(char c) {
  return is_hex(c) || c == ':' || c == '.';
}

}  // namespace

Found ipv4_at(std::string_view text, std::size_t dot) {
  std::size_t first = dot;
  while (first > 0 && is_digit(text[first - 1]) && dot - first < 4) --first;
  const char before = byte_before(text, first);
  if (is_alnum(before) || (before == '.' && first > 1 && is_digit(text[first - 2]))) return std::nullopt;
  std::size_t at = first;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && byte_at(text, at++) != '.') return std::nullopt;
    if (octet_at(text, at) < 0) return std::nullopt;
  }
  const char behind = byte_at(text, at);
  if (is_letter(behind) || (behind == '.' && is_digit(byte_at(text, at + 1)))) return std::nullopt;
  return SensitiveSpan{first, at - first, SensitiveKind::ipv4};
}

Found ipv6_at(std::string_view text, std::size_t place) {
  constexpr std::size_t kIpv6Max = 45;
  std::size_t first = place, last = place;
  while (first > 0 && is_in_ipv6(text[first - 1]) && place - first <= kIpv6Max) --first;
  while (last < text.size() && is_in_ipv6(text[last]) && last - first <= kIpv6Max) ++last;
  // A sentence's full stop, a label's colon.
  while (first < place && text[first] == '.') ++first;
  while (last > first && (text[last - 1] == '.' || (text[last - 1] == ':' && !text.substr(0, last).ends_with("::")))) {
    --last;
  }
  if (first < place && text[first] == ':' && text[first + 1] != ':') ++first;
  const std::string_view address = text.substr(first, last - first);
  if (address.size() > kIpv6Max || is_alnum(byte_before(text, first)) || is_alnum(byte_at(text, last))) {
    return std::nullopt;
  }
  // `ace::bad` is a name of some program; an address without a digit is rarer than those.
  if (std::ranges::none_of(address, is_digit)) return std::nullopt;
  const auto ip = parse_ip(address);
  if (!ip || ip->family != 6) return std::nullopt;
  return SensitiveSpan{first, address.size(), SensitiveKind::ipv6};
}

Found mac_at(std::string_view text, std::size_t first) {
  constexpr std::size_t kMacBytes = 17;
  const char separator = byte_at(text, first + 2);
  const char before = byte_before(text, first), behind = byte_at(text, first + kMacBytes);
  if (is_alnum(before) || before == separator || is_alnum(behind) || behind == separator) return std::nullopt;
  for (std::size_t i = 0; i < kMacBytes; ++i) {
    const char c = byte_at(text, first + i);
    if (i % 3 == 2 ? c != separator : !is_hex(c)) return std::nullopt;
  }
  return SensitiveSpan{first, kMacBytes, SensitiveKind::mac};
}

Found uuid_at(std::string_view text, std::size_t first) {
  constexpr std::size_t kUuidBytes = 36;
  const char before = byte_before(text, first), behind = byte_at(text, first + kUuidBytes);
  if (is_alnum(before) || is_alnum(behind) || behind == '-') return std::nullopt;
  for (std::size_t i = 0; i < kUuidBytes; ++i) {
    const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = byte_at(text, first + i);
    if (is_hyphen ? c != '-' : !is_hex(c)) return std::nullopt;
  }
  return SensitiveSpan{first, kUuidBytes, SensitiveKind::uuid};
}

Found email_at(std::string_view text, std::size_t sign, std::size_t sign_bytes) {
  std::size_t first = sign;
  while (first > 0 && is_local_part(text[first - 1]) && sign - first < kLocalPartMax) --first;
  // Of what stands before it only the address itself: `user=a@b.org`, `/home/a@b.org`.
  const std::size_t cut = text.substr(first, sign - first).find_last_of("=/?&|{}`");
  if (cut != std::string_view::npos) first += cut + 1;
  while (first < sign && !is_local_start(text[first])) ++first;
  if (first == sign || text[sign - 1] == '.') return std::nullopt;

  std::size_t end = sign + sign_bytes, label = end, labels = 0;
  const std::size_t domain = end;
  while (true) {
    while (end < text.size() && is_domain(text[end])) ++end;
    if (end == label) break;
    ++labels;
    const bool goes_on = byte_at(text, end) == '.' && is_domain(byte_at(text, end + 1));
    if (!goes_on) break;
    label = ++end;
  }
  while (end > label && text[end - 1] == '-') --end;
  // The last label is a word of two letters or more; of `a@host.org.2` it is the one before.
  const auto is_top = [&](std::string_view name) {
    return name.size() >= 2 &&
           std::ranges::all_of(name,
                               [](char c) { return is_letter(c) || is_beyond_ascii(c) || is_digit(c) || c == '-'; }) &&
           (is_letter(name[0]) || is_beyond_ascii(name[0]));
  };
  while (labels >= 2 && !is_top(text.substr(label, end - label))) {
    end = label - 1;
    --labels;
    const std::size_t dot = text.substr(domain, end - domain).rfind('.');
    label = dot == std::string_view::npos ? domain : domain + dot + 1;
  }
  if (labels < 2) return std::nullopt;
  return SensitiveSpan{first, end - first, SensitiveKind::email};
}

Found url_password_at(std::string_view text, std::size_t sign) {
  constexpr std::size_t kUserInfoMax = 512;
  const std::size_t from = sign > kUserInfoMax ? sign - kUserInfoMax : 0;
  const std::string_view before = text.substr(from, sign - from);
  const std::size_t scheme = before.rfind("://");
  if (scheme == std::string_view::npos || scheme == 0 || !is_alnum(before[scheme - 1])) return std::nullopt;
  const std::string_view user_info = before.substr(scheme + 3);
  const std::size_t colon = user_info.find(':');
  if (colon == std::string_view::npos || colon + 1 == user_info.size()) return std::nullopt;
  if (user_info.find_first_of(" \t\r\n\"<>") != std::string_view::npos) return std::nullopt;
  // `http://host:80/path@2` has no password.
  const std::string_view given = user_info.substr(colon + 1);
  const std::size_t slash = given.find('/');
  if (slash != std::string_view::npos && std::ranges::all_of(given.substr(0, slash), is_digit)) return std::nullopt;
  return SensitiveSpan{sign - given.size(), given.size(), SensitiveKind::url_password};
}

}  // namespace dendro::sensitive
