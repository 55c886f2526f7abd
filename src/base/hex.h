#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dendro {

/// Two lower-case digits a byte.
std::string to_hex(std::span<const std::uint8_t> bytes);
/// 16 lower-case digits, the highest first.
std::string to_hex16(std::uint64_t number);

}  // namespace dendro
