#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace dendro {

/// True if `size` bytes are the same. Pieces of a template and variables are mostly below 16 bytes, for which a call of
/// memcmp costs more than the comparison; the two words of a short one may overlap.
inline bool equal_bytes(const char* a, const char* b, std::size_t size) {
  if (size > 16) return std::memcmp(a, b, size) == 0;
  const auto words_equal = [&]<typename Word>(Word) {
    const std::size_t last = size - sizeof(Word);
    return ((load_le<Word>(a) ^ load_le<Word>(b)) | (load_le<Word>(a + last) ^ load_le<Word>(b + last))) == 0;
  };
  if (size >= 8) return words_equal(std::uint64_t{});
  if (size >= 4) return words_equal(std::uint32_t{});
  if (size == 0) return true;
  return a[0] == b[0] && a[size - 1] == b[size - 1] && a[size / 2] == b[size / 2];
}

/// Copies `size` bytes to where they do not overlap. For pieces as short as those above.
inline void copy_bytes(char* to, const char* from, std::size_t size) {
  const auto copy_words = [&]<typename Word>(Word) {
    const std::size_t last = size - sizeof(Word);
    const auto front = load_le<Word>(from);
    const auto back = load_le<Word>(from + last);
    store_le(to, front);
    store_le(to + last, back);
  };
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    copy_words(std::uint64_t{});
  } else if (size >= 4) {
    copy_words(std::uint32_t{});
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
}

}  // namespace dendro
