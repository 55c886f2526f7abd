#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "base/strong_int.h"

namespace dendro {

/// Identity of the place a checksum guards (WAL number, manifest number, segment id): bytes at another place fail.
using HashSeed = StrongInt<struct HashSeedTag, std::uint64_t>;

/// XXH3-64.
std::uint64_t xxh3(std::string_view bytes, HashSeed seed);
/// XXH3-64 of `first` followed by `second`, without joining them.
std::uint64_t xxh3(std::string_view first, std::string_view second, HashSeed seed);
/// XXH3-128, canonical (big-endian) byte order. For identities (batch ids, content hashes), not for signatures.
Bytes16 xxh3_128(std::string_view bytes);

}  // namespace dendro
