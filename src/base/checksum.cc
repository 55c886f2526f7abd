#include "base/checksum.h"

#define XXH_STATIC_LINKING_ONLY  // the state on the stack
#include <xxhash.h>

#include <cstring>

namespace dendro {

std::uint64_t xxh3(std::string_view bytes, HashSeed seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed.number());
}

std::uint64_t xxh3(std::string_view first, std::string_view second, HashSeed seed) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);  // else the reset takes what lies on the stack for the secret of an earlier, equal seed
  XXH3_64bits_reset_withSeed(&state, seed.number());
  XXH3_64bits_update(&state, first.data(), first.size());
  XXH3_64bits_update(&state, second.data(), second.size());
  return XXH3_64bits_digest(&state);
}

Bytes16 xxh3_128(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Bytes16 out;
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
}

}  // namespace dendro
