#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dendro {

/// HMAC with SHA-256 (RFC 2104). Thread-safe.
std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace dendro
