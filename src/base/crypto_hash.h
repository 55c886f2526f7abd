#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dendro {

/// SHA-256 of the bytes (FIPS 180-4). For marks that must not be made to collide; checksums of our own
/// files are XXH3 (base/checksum.h). Thread-safe.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);

}  // namespace dendro
