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
  if (chunks_[chunk] == nullptr) {
    chunks_[chunk] = std::make_unique<MemtableEntry[]>(kFirstChunkEntries << chunk);
    joined_[chunk] = std::make_unique<std::atomic<const JoinedBatch*>[]>(std::size_t{1} << chunk);
  }
  bytes_ += entry.batch.open_bytes() + kEntryOverheadBytes;
  records_ += entry.batch.size();
  chunks_[chunk][size_ - chunk_first(chunk)] = std::move(entry);
  ++size_;
}

const MemtableEntry& Memtable::operator[](std::size_t index) const {
  const std::size_t chunk = chunk_of(index);
  return chunks_[chunk][index - chunk_first(chunk)];
}

std::span<const MemtableEntry> Memtable::group(std::size_t group) const {
  return {&(*this)[group * kGroupEntries], kGroupEntries};
}

void Memtable::attach(std::size_t group, std::unique_ptr<const JoinedBatch> joined) {
  const std::size_t chunk = chunk_of(group * kGroupEntries);
  bytes_ += joined->memory_bytes();
  joined_[chunk][group - chunk_first(chunk) / kGroupEntries].store(joined.get(), std::memory_order_release);
  kept_joined_.push_back(std::move(joined));
}

const JoinedBatch* Memtable::joined(std::size_t group) const {
  const std::size_t chunk = chunk_of(group * kGroupEntries);
  return joined_[chunk][group - chunk_first(chunk) / kGroupEntries].load(std::memory_order_acquire);
}

}  // namespace dendro
