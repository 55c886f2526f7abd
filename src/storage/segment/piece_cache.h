#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"

namespace dendro {

/// A decoded piece of a row group: which one is for RowGroupReader to say.
struct PieceKey {
  static constexpr std::uint32_t kWholeSegment = 0xFFFFFFFF;  ///< in place of a row group
  SegmentId segment;
  std::uint32_t row_group = 0;
  std::uint64_t piece = 0;
  friend bool operator==(const PieceKey&, const PieceKey&) = default;
};

/// Decoded pieces of segments used last, shared by all queries of a store, bounded by their bytes. Thread-safe.
class PieceCache {
 public:
  explicit PieceCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The piece, made by `load() -> Result<Piece>` if it is not here; two readers at once may both make it. A piece says
  /// its size by memory_bytes(). A key always stands for the same type. Errors: those of `load`.
  template <typename Piece, typename Load>
  Result<std::shared_ptr<const Piece>> get(const PieceKey& key, Load&& load) {
    if (std::shared_ptr<const void> piece = find(key)) return std::static_pointer_cast<const Piece>(std::move(piece));
    Result<Piece> loaded = load();
    if (!loaded) return loaded.error();
    auto piece = std::make_shared<const Piece>(std::move(loaded).value());
    insert(key, piece, piece->memory_bytes());
    return piece;
  }
  std::size_t bytes() const;

 private:
  struct Entry {
    PieceKey key;
    std::shared_ptr<const void> piece;
    std::size_t bytes = 0;
  };
  struct KeyHash {
    std::size_t operator()(const PieceKey& key) const noexcept {
      return (key.segment.number() * 0x9E3779B97F4A7C15u + key.row_group) * 0xBF58476D1CE4E5B9u + key.piece;
    }
  };
  using Recent = std::list<Entry>;  // newest first

  std::shared_ptr<const void> find(const PieceKey& key);
  void insert(const PieceKey& key, std::shared_ptr<const void> piece, std::size_t bytes);

  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  Recent recent_ DENDRO_GUARDED_BY(mutex_);
  std::unordered_map<PieceKey, Recent::iterator, KeyHash> index_ DENDRO_GUARDED_BY(mutex_);
  std::size_t bytes_ DENDRO_GUARDED_BY(mutex_) = 0;
};

}  // namespace dendro
