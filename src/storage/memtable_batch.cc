#include "storage/memtable_batch.h"

#include <lz4.h>

#include "base/check.h"

namespace dendro {

MemtableBatch MemtableBatch::packed(const RecordBatch& batch, std::string_view lz4) {
  auto packed = std::make_shared<Packed>();
  packed->lz4 = lz4;
  packed->encoded_bytes = batch.encoded().size();
  packed->open_bytes = batch.memory_bytes();
  packed->receive_time = batch.receive_time();
  packed->min_timestamp = batch.min_timestamp();
  packed->max_timestamp = batch.max_timestamp();
  packed->timestamps.assign(batch.timestamps().begin(), batch.timestamps().end());
  MemtableBatch kept;
  kept.packed_ = std::move(packed);
  return kept;
}

std::uint64_t MemtableBatch::kept_bytes() const {
  if (packed_ == nullptr) return plain_->memory_bytes();
  return sizeof(Packed) + packed_->lz4.size() + packed_->timestamps.size() * sizeof(std::int64_t);
}

std::shared_ptr<const RecordBatch> MemtableBatch::unpack() const {
  std::string encoded(packed_->encoded_bytes, '\0');
  const int unpacked = LZ4_decompress_safe(packed_->lz4.data(), encoded.data(), static_cast<int>(packed_->lz4.size()),
                                           static_cast<int>(encoded.size()));
  DENDRO_CHECK(unpacked == static_cast<int>(encoded.size()));  // they are the bytes of a batch that was there
  return RecordBatch::reopen(std::move(encoded));
}

}  // namespace dendro
