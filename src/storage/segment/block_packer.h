#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/block_codec.h"
#include "storage/segment/row_group.h"

namespace dendro {

/// Puts the chunks of a row group into blocks: large ones alone, small ones together, so that neither a tiny column
/// pays for a block nor a large one must be unpacked to read it. Not thread-safe.
class BlockPacker {
 public:
  /// A chunk from here on has a block of its own; small ones fill a block up to here.
  static constexpr std::size_t kSharedBlockBytes = 64 * 1024;

  explicit BlockPacker(BlockCompressor& compressor) : compressor_(compressor) {}

  ChunkPlace add(std::string_view chunk);
  /// A block of its own, whatever its size.
  ChunkPlace add_alone(std::string_view chunk);
  /// Appends the blocks in the order of their numbers to `stored`; their offsets begin at stored's size before.
  std::vector<BlockPlace> finish(std::string& stored);

 private:
  struct Block {
    BlockPlace place;
    std::string stored;
  };
  void close_shared();
  void pack(Block& block, std::string_view plain);

  BlockCompressor& compressor_;
  std::vector<Block> blocks_;
  std::string shared_;
  std::size_t shared_number_ = 0;  ///< of the block that shared_ will fill, if it is not empty
};

}  // namespace dendro
