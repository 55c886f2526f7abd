#pragma once

#include <cstddef>
#include <memory>

#include "io/byte_source.h"

namespace dendro {

inline constexpr std::size_t kReadAheadPieceBytes = std::size_t{256} << 10;
inline constexpr std::size_t kReadAheadPiecesMax = 4;

/// Reads `source` on a thread of its own, so that unpacking and what is done with the bytes go on at the same time; at
/// most kReadAheadPiecesMax pieces ahead of the reader. Only for sources that never wait for somebody (files): the
/// destructor waits for the read at hand.
std::unique_ptr<ByteSource> make_read_ahead_source(std::unique_ptr<ByteSource> source);

}  // namespace dendro
