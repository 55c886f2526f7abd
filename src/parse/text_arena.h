#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace dendro {

/// Bytes that stay where they are until clear(): texts with escapes undone, of one record. Not thread-safe.
class TextArena {
 public:
  /// Room for `bytes`, not initialised; give back what is not used with `shrink_last`.
  char* take(std::size_t bytes) {
    if (block_ == blocks_.size() || blocks_[block_].size - used_ < bytes) next_block(bytes);
    char* room = blocks_[block_].bytes.get() + used_;
    used_ += bytes;
    return room;
  }
  /// The last `take` needs only the bytes before `end`.
  void shrink_last(const char* end) { used_ = static_cast<std::size_t>(end - blocks_[block_].bytes.get()); }
  /// Forgets everything; keeps one block.
  void clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    block_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{64} << 10;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  void next_block(std::size_t bytes) {
    const std::size_t size = bytes > kBlockBytes ? bytes : kBlockBytes;
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    block_ = blocks_.size() - 1;
    used_ = 0;
  }
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
};

}  // namespace dendro
