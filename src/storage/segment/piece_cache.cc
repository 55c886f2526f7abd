#include "storage/segment/piece_cache.h"

namespace dendro {
namespace {

/// List node, index node, control block: about what a piece costs beside its own bytes.
constexpr std::size_t kEntryBytes = 200;

}  // namespace

std::size_t PieceCache::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

std::shared_ptr<const void> PieceCache::find(const PieceKey& key) {
  MutexLock lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->piece;
}

void PieceCache::insert(const PieceKey& key, std::shared_ptr<const void> piece, std::size_t bytes) {
  Recent dropped;  // freed outside the lock
  MutexLock lock(mutex_);
  if (index_.contains(key)) return;
  bytes += kEntryBytes;
  bytes_ += bytes;
  recent_.push_front({key, std::move(piece), bytes});
  index_[key] = recent_.begin();
  while (bytes_ > bytes_max_ && !recent_.empty()) {
    bytes_ -= recent_.back().bytes;
    index_.erase(recent_.back().key);
    dropped.splice(dropped.begin(), recent_, std::prev(recent_.end()));
  }
}

}  // namespace dendro
