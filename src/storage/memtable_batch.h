#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "record/record_batch.h"

namespace dendro {

/// A committed batch as a memtable keeps it: as it is, or packed as its WAL frame was, while flushes are behind. Cheap
/// to copy; immutable; thread-safe.
class MemtableBatch {
 public:
  /// Smaller batches are not worth packing: little of them repeats, and many at once are joined (joined_batch.h).
  static constexpr std::size_t kPackedFromBytes = std::size_t{64} << 10;

  MemtableBatch() = default;
  /// As it is.
  MemtableBatch(std::shared_ptr<const RecordBatch> batch) : plain_(std::move(batch)) {}
  /// Packed. @param lz4  the batch's encoded bytes, as the frame holds them; copied.
  static MemtableBatch packed(const RecordBatch& batch, std::string_view lz4);

  bool is_packed() const { return packed_ != nullptr; }
  std::size_t size() const { return timestamps().size(); }
  Timestamp receive_time() const { return packed_ ? packed_->receive_time : plain_->receive_time(); }
  Timestamp min_timestamp() const { return packed_ ? packed_->min_timestamp : plain_->min_timestamp(); }
  Timestamp max_timestamp() const { return packed_ ? packed_->max_timestamp : plain_->max_timestamp(); }
  std::span<const std::int64_t> timestamps() const {
    return packed_ ? std::span<const std::int64_t>(packed_->timestamps) : plain_->timestamps();
  }
  /// What the batch takes in memory when it is open, and so in a flush; and what this keeps of it.
  std::uint64_t open_bytes() const { return packed_ ? packed_->open_bytes : plain_->memory_bytes(); }
  std::uint64_t kept_bytes() const;
  /// Size of the encoded batch.
  std::size_t encoded_bytes() const { return packed_ ? packed_->encoded_bytes : plain_->encoded().size(); }
  /// The batch; unpacked anew by each call if it is packed.
  std::shared_ptr<const RecordBatch> open() const { return packed_ ? unpack() : plain_; }

 private:
  struct Packed {
    std::string lz4;
    std::size_t encoded_bytes = 0;
    std::uint64_t open_bytes = 0;
    Timestamp receive_time, min_timestamp, max_timestamp;
    std::vector<std::int64_t> timestamps;
  };
  std::shared_ptr<const RecordBatch> unpack() const;

  std::shared_ptr<const RecordBatch> plain_;  ///< or
  std::shared_ptr<const Packed> packed_;
};

}  // namespace dendro
