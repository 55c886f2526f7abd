#include "storage/block_cache.h"

namespace dendro {

Result<std::shared_ptr<const SegmentBlock>> BlockCache::get(const Segment& segment, std::size_t index) {
  const Key key(segment.info().id, index);
  if (std::shared_ptr<const SegmentBlock> block = find(key)) return block;
  DENDRO_TRY_ASSIGN(SegmentBlock read, segment.read_block(index));
  auto block = std::make_shared<const SegmentBlock>(std::move(read));
  insert(key, block);
  return std::shared_ptr<const SegmentBlock>(std::move(block));
}

std::size_t BlockCache::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

std::shared_ptr<const SegmentBlock> BlockCache::find(const Key& key) {
  MutexLock lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->second;
}

void BlockCache::insert(const Key& key, std::shared_ptr<const SegmentBlock> block) {
  Recent dropped;  // freed outside the lock
  MutexLock lock(mutex_);
  if (index_.contains(key)) return;
  bytes_ += block->bytes();
  recent_.emplace_front(key, std::move(block));
  index_[key] = recent_.begin();
  while (bytes_ > bytes_max_ && !recent_.empty()) {
    bytes_ -= recent_.back().second->bytes();
    index_.erase(recent_.back().first);
    dropped.splice(dropped.begin(), recent_, std::prev(recent_.end()));
  }
}

}  // namespace dendro
