#include "codec/packed_text.h"

#include <array>
#include <charconv>

namespace dendro {
namespace {

constexpr std::size_t kDigitsMax = 18;
constexpr std::uint8_t kNoDigit = 255;

constexpr std::array<std::uint8_t, 256> make_hex_values(char first_letter) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
  for (std::uint8_t i = 0; i < 6; ++i)
    values[static_cast<std::size_t>(first_letter + i)] = static_cast<std::uint8_t>(10 + i);
  return values;
}
constexpr std::array<std::uint8_t, 256> kLowerHexValues = make_hex_values('a');
constexpr std::array<std::uint8_t, 256> kUpperHexValues = make_hex_values('A');
constexpr std::string_view kLowerHexDigits = "0123456789abcdef";
constexpr std::string_view kUpperHexDigits = "0123456789ABCDEF";

/// Places of the dashes of a UUID.
constexpr std::array<std::size_t, 4> kUuidDashes = {8, 13, 18, 23};

}  // namespace

std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<std::int64_t> parse_plain_integer(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const std::string_view digits = text.substr(is_negative ? 1 : 0);
  if (digits.starts_with('0') && (digits.size() > 1 || is_negative)) return std::nullopt;
  const std::optional<std::int64_t> number = parse_digits(digits);
  if (!number) return std::nullopt;
  return is_negative ? -*number : *number;
}

void append_digits(std::string& out, std::int64_t number, std::size_t width) {
  const std::size_t first = out.size();
  out.resize(first + width);
  for (std::size_t i = width; i-- > 0; number /= 10) out[first + i] = static_cast<char>('0' + number % 10);
}

bool append_hex_packed(std::string& out, std::string_view text, HexCase hex_case) {
  if (text.size() % 2 != 0) return false;
  const auto& values = hex_case == HexCase::lower ? kLowerHexValues : kUpperHexValues;
  const std::size_t first = out.size();
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = values[static_cast<std::uint8_t>(text[i])];
    const std::uint8_t low = values[static_cast<std::uint8_t>(text[i + 1])];
    if (high == kNoDigit || low == kNoDigit) {
      out.resize(first);
      return false;
    }
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(high << 4 | low)));
  }
  return true;
}

void append_hex_text(std::string& out, std::string_view packed, HexCase hex_case) {
  const std::string_view digits = hex_case == HexCase::lower ? kLowerHexDigits : kUpperHexDigits;
  for (const char c : packed) {
    const auto byte = static_cast<std::uint8_t>(c);
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
}

bool append_uuid_packed(std::string& out, std::string_view text) {
  if (text.size() != kUuidTextBytes) return false;
  std::array<char, 32> digits;
  std::size_t kept = 0;
  std::size_t dash = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dash < kUuidDashes.size() && i == kUuidDashes[dash]) {
      if (text[i] != '-') return false;
      ++dash;
    } else {
      digits[kept++] = text[i];
    }
  }
  return append_hex_packed(out, {digits.data(), digits.size()}, HexCase::lower);
}

void append_uuid_text(std::string& out, std::string_view packed) {
  constexpr std::array<std::size_t, 5> kGroupBytes = {4, 2, 2, 2, 6};
  std::size_t at = 0;
  for (const std::size_t group : kGroupBytes) {
    if (at != 0) out.push_back('-');
    append_hex_text(out, packed.substr(at, group), HexCase::lower);
    at += group;
  }
}

std::optional<std::uint32_t> parse_plain_ipv4(std::string_view text) {
  if (text.size() < 7 || text.size() > 15) return std::nullopt;
  std::uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || dot == 0 || dot > 3) return std::nullopt;
    const std::optional<std::int64_t> number = parse_plain_integer(text.substr(0, dot));
    if (!number || *number < 0 || *number > 255) return std::nullopt;
    address = address << 8 | static_cast<std::uint32_t>(*number);
    text.remove_prefix(part < 3 ? dot + 1 : dot);
  }
  return address;
}

void append_ipv4_text(std::string& out, std::uint32_t address) {
  std::array<char, 4> digits;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), address >> shift & 0xFF).ptr;
    out.append(digits.data(), end);
    if (shift != 0) out.push_back('.');
  }
}

}  // namespace dendro
