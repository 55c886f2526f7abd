#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dendro {

/// SHA-256.
using Hash32 = std::array<std::uint8_t, 32>;
inline std::string_view hash_bytes(const Hash32& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}
/// Nothing unless there are 32 bytes.
std::optional<Hash32> hash_from_bytes(std::string_view bytes);

// What is hashed begins with a byte that says what it is, so that nothing passes for something else.
inline constexpr char kLeafTag = 0, kNodeTag = 1, kFieldTag = 2, kValueTag = 3, kSaltTag = 4, kEntryTag = 5;

/// The tree of RFC 6962, section 2.1, over leaves that are hashed already.
Hash32 merkle_root(std::span<const Hash32> leaves);
/// The hashes beside the way from the leaf at `index` to the root, from below. `index` is within `leaves`.
std::vector<Hash32> merkle_path(std::span<const Hash32> leaves, std::size_t index);
/// The root that such a path leads to; nothing if the path is not one of a tree of `count` leaves.
std::optional<Hash32> root_of_path(const Hash32& leaf, std::uint64_t index, std::uint64_t count,
                                   std::span<const Hash32> path);

}  // namespace dendro
