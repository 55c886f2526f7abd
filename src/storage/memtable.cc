#include "storage/memtable.h"

#include <bit>

#include "base/check.h"

namespace dendro {
namespace {

/// The entry, and what an allocator adds to the batch's few pieces.
constexpr std::uint64_t kEntryOverheadBytes = sizeof(MemtableEntry) + 128;

}  // namespace

std::uint64_t memtable_bytes_of(const RecordBatch& batch) {
  return batch.memory_bytes() + kEntryOverheadBytes;
}

std::size_t Memtable::chunk_of(std::size_t index) {
  return static_cast<std::size_t>(std::bit_width(index / kFirstChunkEntries + 1)) - 1;
}

void Memtable::append(MemtableEntry entry) {
  const std::size_t chunk = chunk_of(size_);
  DENDRO_CHECK(chunk < kChunkCount);
  if (chunks_[chunk] == nullptr) chunks_[chunk] = std::make_unique<MemtableEntry[]>(kFirstChunkEntries << chunk);
  bytes_ += memtable_bytes_of(*entry.batch);
  records_ += entry.batch->size();
  chunks_[chunk][size_ - chunk_first(chunk)] = std::move(entry);
  ++size_;
}

const MemtableEntry& Memtable::operator[](std::size_t index) const {
  const std::size_t chunk = chunk_of(index);
  return chunks_[chunk][index - chunk_first(chunk)];
}

}  // namespace dendro
