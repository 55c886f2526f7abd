#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// How the bytes of a block are stored. Numbers are on disk.
enum class BlockCodec : std::uint8_t { none = 0, zstd = 1 };

/// Compresses blocks with one reused context. Not thread-safe.
class BlockCompressor {
 public:
  /// `level` of zstd: 1 at flush, 9 at the last compaction (engine.md 2.6).
  explicit BlockCompressor(int level);
  ~BlockCompressor();

  struct Packed {
    BlockCodec codec = BlockCodec::none;
    std::string_view bytes;  ///< valid until the next call, and as long as the input
  };
  /// `none` where zstd saves less than a sixteenth.
  Packed pack(std::string_view plain);
  /// Bytes zstd would make of it: to choose between two forms of one thing.
  std::size_t packed_size(std::string_view plain) { return pack(plain).bytes.size(); }

 private:
  struct Context;
  const std::unique_ptr<Context> context_;
  std::string buffer_;
};

/// Errors: corruption (not of the codec, not exactly `plain_bytes`). Thread-safe; one context a thread.
Status unpack_block(BlockCodec codec, std::string_view stored, std::size_t plain_bytes, std::string& plain);

}  // namespace dendro
