#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dendro {

// Texts that are numbers written down: each function gives the packed form only if the text comes back from it byte for
// byte.

/// Decimal digits, at most 18, no leading zero, an optional minus ("-0" excluded).
std::optional<std::int64_t> parse_plain_integer(std::string_view text);
/// Exactly text.size() digits, at most 18, leading zeros allowed.
std::optional<std::int64_t> parse_digits(std::string_view text);
void append_digits(std::string& out, std::int64_t number, std::size_t width);

/// Packs an even count of hexadecimal digits of one case into half as many bytes; false if `text` is something else.
enum class HexCase : std::uint8_t { lower = 0, upper = 1 };
bool append_hex_packed(std::string& out, std::string_view text, HexCase hex_case);
void append_hex_text(std::string& out, std::string_view packed, HexCase hex_case);

/// 8-4-4-4-12 lower-case hexadecimal digits and 16 bytes.
inline constexpr std::size_t kUuidTextBytes = 36;
bool append_uuid_packed(std::string& out, std::string_view text);
void append_uuid_text(std::string& out, std::string_view packed);

/// Dotted quad without leading zeros; the first number is the most significant byte.
std::optional<std::uint32_t> parse_plain_ipv4(std::string_view text);
void append_ipv4_text(std::string& out, std::uint32_t address);

}  // namespace dendro
