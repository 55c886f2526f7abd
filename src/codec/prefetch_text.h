#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace dendro {

/// How far ahead of the work texts are asked for: records in order of time lie anywhere in their batches, so each one
/// misses all caches, and a text's first use took half of the time of splitting it.
inline constexpr std::size_t kPrefetchAhead = 4;

/// Asks for the front of a text that will be read soon; the rest of a longer one is fetched by the processor itself.
inline void prefetch_text(std::string_view text) {
  constexpr std::size_t kLineBytes = 64;
  constexpr std::size_t kFrontBytes = 512;
  const std::size_t end = std::min(text.size(), kFrontBytes);
  for (std::size_t at = 0; at < end; at += kLineBytes) __builtin_prefetch(text.data() + at);
}

}  // namespace dendro
