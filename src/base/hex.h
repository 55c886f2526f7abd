#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dendro {

/// Two lower-case digits a byte.
std::string to_hex(std::span<const std::uint8_t> bytes);
/// The bytes; nothing unless `text` is pairs of hex digits of either case.
std::optional<std::string> parse_hex(std::string_view text);
/// 16 lower-case digits, the highest first.
std::string to_hex16(std::uint64_t number);

}  // namespace dendro
