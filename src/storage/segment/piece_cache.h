#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "base/result.h"
#include "storage/segment.h"

namespace dendro {

/// Unpacked blocks used last, shared by all queries of a store, bounded by their bytes. Thread-safe.
class BlockCache {
 public:
  explicit BlockCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The block, read if it is not here; two readers at once may both read it. Errors: those of Segment::read_block.
  Result<std::shared_ptr<const SegmentBlock>> get(const Segment& segment, std::size_t index);
  std::size_t bytes() const;

 private:
  using Key = std::pair<SegmentId, std::size_t>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return key.first.number() * 0x9E3779B97F4A7C15u + key.second;
    }
  };
  using Recent = std::list<std::pair<Key, std::shared_ptr<const SegmentBlock>>>;  // newest first

  std::shared_ptr<const SegmentBlock> find(const Key& key);
  void insert(const Key& key, std::shared_ptr<const SegmentBlock> block);

  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  Recent recent_ DENDRO_GUARDED_BY(mutex_);
  std::unordered_map<Key, Recent::iterator, KeyHash> index_ DENDRO_GUARDED_BY(mutex_);
  std::size_t bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
};

}  // namespace dendro
