#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/byte_source.h"
#include "parse/analyze/count_types.h"

namespace dendro {

/// Text of whole lines, each with a line feed (the last line of the input gets one), kIndexPadBytes blanks behind it.
/// Reused from chunk to chunk.
struct Chunk {
  std::vector<char> buffer;  ///< the text and the blanks
  std::size_t size = 0;      ///< of the text
  std::uint64_t offset = 0;  ///< of the text in the input
  std::uint64_t index = 0;   ///< 0, 1, 2, ... in the order of the input
  bool too_long = false;     ///< stands for one line over kCountLineBytesMax, `size` is 0

  const char* text() const { return buffer.data(); }
};

/// Cuts a source into chunks of whole lines. One thread at a time: the caller locks.
class ChunkCutter {
 public:
  /// `chunk_bytes`: size of a chunk unless a line is longer.
  ChunkCutter(std::unique_ptr<ByteSource> source, std::size_t chunk_bytes)
      : source_(std::move(source)), chunk_bytes_(std::max<std::size_t>(chunk_bytes, 1)) {}
  /// False: the input is at its end. Errors: those of the source.
  Result<bool> next(Chunk& chunk);
  /// Read from the source so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Status fill(Chunk& chunk, std::size_t room_last);
  void drop_blanks(Chunk& chunk);
  Result<bool> skip_long_line(Chunk& chunk);
  void cut(Chunk& chunk, std::size_t whole_last);

  const std::unique_ptr<ByteSource> source_;
  const std::size_t chunk_bytes_;
  std::string carry_;              // the beginning of the next chunk's first line
  std::uint64_t next_offset_ = 0;  // of carry_ in the input
  std::uint64_t bytes_ = 0;
  std::uint64_t next_index_ = 0;
  bool ended_ = false;
};

}  // namespace dendro
