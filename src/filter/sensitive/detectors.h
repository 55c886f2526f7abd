#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "filter/sensitive/sensitive_finder.h"

// The close look at a place that a trigger names. Each says whether its kind stands there, and where it begins and
// ends; none reads more than a few hundred bytes around the place but for what is itself longer.
namespace dendro::sensitive {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_letter(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
}
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
/// Part of a character of UTF-8 beyond ASCII, or of what is none.
constexpr bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
/// '\0' before the text and behind it.
constexpr char byte_at(std::string_view text, std::size_t offset) {
  return offset < text.size() ? text[offset] : '\0';
}
constexpr char byte_before(std::string_view text, std::size_t offset) {
  return offset > 0 ? text[offset - 1] : '\0';
}

using Found = std::optional<SensitiveSpan>;

/// `first`: of the run of digits.
Found card_at(std::string_view text, std::size_t first);
/// `first`: of `+`, `(` or the first digit.
Found phone_at(std::string_view text, std::size_t first);
Found ssn_at(std::string_view text, std::size_t first);
Found iban_at(std::string_view text, std::size_t first);
/// `dot`: the first dot.
Found ipv4_at(std::string_view text, std::size_t dot);
/// `place`: `::`, or where the run of hex digits and colons begins.
Found ipv6_at(std::string_view text, std::size_t place);
Found mac_at(std::string_view text, std::size_t first);
Found uuid_at(std::string_view text, std::size_t first);
/// The sign is `@`, or `%40`.
Found email_at(std::string_view text, std::size_t sign, std::size_t sign_bytes);
Found url_password_at(std::string_view text, std::size_t sign);
/// Everything that begins with three letters; the place is theirs.
void add_credentials_at(std::string_view text, std::size_t place, SensitiveKinds kinds,
                        std::vector<SensitiveSpan>& spans);

}  // namespace dendro::sensitive
