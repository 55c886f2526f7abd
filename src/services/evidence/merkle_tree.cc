#include "services/evidence/merkle_tree.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/crypto_hash.h"

namespace dendro {
namespace {

Hash32 node_hash(const Hash32& left, const Hash32& right) {
  std::array<char, 65> bytes{};
  bytes[0] = kNodeTag;
  std::ranges::copy(hash_bytes(left), bytes.begin() + 1);
  std::ranges::copy(hash_bytes(right), bytes.begin() + 33);
  return sha256({bytes.data(), bytes.size()});
}

/// The largest power of two below `count`, which is at least 2.
std::size_t left_share(std::size_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

std::optional<Hash32> hash_from_bytes(std::string_view bytes) {
  Hash32 hash{};
  if (bytes.size() != hash.size()) return std::nullopt;
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

Hash32 merkle_root(std::span<const Hash32> leaves) {
  if (leaves.empty()) return sha256({});
  if (leaves.size() == 1) return leaves.front();
  const std::size_t left = left_share(leaves.size());
  return node_hash(merkle_root(leaves.first(left)), merkle_root(leaves.subspan(left)));
}

std::vector<Hash32> merkle_path(std::span<const Hash32> leaves, std::size_t index) {
  if (leaves.size() <= 1) return {};
  const std::size_t left = left_share(leaves.size());
  const bool is_left = index < left;
  std::vector<Hash32> path =
      is_left ? merkle_path(leaves.first(left), index) : merkle_path(leaves.subspan(left), index - left);
  path.push_back(merkle_root(is_left ? leaves.subspan(left) : leaves.first(left)));
  return path;
}

std::optional<Hash32> root_of_path(const Hash32& leaf, std::uint64_t index, std::uint64_t count,
                                   std::span<const Hash32> path) {
  // RFC 9162, 2.1.3.2.
  if (index >= count) return std::nullopt;
  std::uint64_t at = index, last = count - 1;
  Hash32 hash = leaf;
  for (const Hash32& beside : path) {
    if (last == 0) return std::nullopt;
    if ((at & 1) != 0 || at == last) {
      hash = node_hash(beside, hash);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, beside);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::nullopt;
  return hash;
}

}  // namespace dendro
