#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dendro {

/// Bytes behind the text that an indexer may read; they must be blanks.
inline constexpr std::size_t kIndexPadBytes = 64;

/// What an indexer carries from one block of 64 bytes to the next. Fresh at the start of a line.
struct IndexState {
  std::uint64_t in_string = 0;               ///< all ones: the last block ended inside a string
  std::uint64_t escaped = 0;                 ///< 1: the next byte is escaped
  std::uint64_t in_scalar = 0;               ///< 1: the last byte was part of a number or word
  bool utf8_open = false;                    ///< the last block ended inside a sequence
  std::array<std::uint8_t, 3> last_bytes{};  ///< of the last block, for sequences that reach over its end
};

/// Where an indexer puts what it finds: positions in the text, ascending. Borrowed arrays with room for one a byte and
/// eight more.
struct IndexOutput {
  std::uint32_t* tokens =
      nullptr;  ///< { } [ ] : , line feeds; the first bytes of strings, numbers, words and other stray runs
  std::size_t token_count = 0;
  std::uint32_t* escapes = nullptr;  ///< in strings, the byte behind each backslash that starts an escape
  std::size_t escape_count = 0;
};

/// Indexes text[first, last) in blocks of 64 bytes, the last one filled up with what follows (blanks, see
/// kIndexPadBytes). It checks all that needs no grammar: UTF-8, control characters in strings (a line feed too),
/// escapes. At the first block with a fault it stops and returns where that block begins; what it wrote belongs to the
/// blocks before. Otherwise it returns `last` or the end of the last block, whichever is greater. A fault of a line is
/// found no later than in the block of its line feed.
using Indexer = std::size_t (*)(const char* text, std::size_t first, std::size_t last, IndexState& state,
                                IndexOutput& out);

/// The plain twin that the others are tested against.
std::size_t index_scalar(const char* text, std::size_t first, std::size_t last, IndexState& state, IndexOutput& out);
/// Needs AVX2, BMI and PCLMUL: call only if `index_avx2_supported`.
std::size_t index_avx2(const char* text, std::size_t first, std::size_t last, IndexState& state, IndexOutput& out);
bool index_avx2_supported();

/// The fastest one of this machine.
Indexer best_indexer();
/// "avx2" or "scalar": for `dendro version`.
const char* best_indexer_name();

}  // namespace dendro
