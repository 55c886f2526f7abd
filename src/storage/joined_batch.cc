#include "storage/joined_batch.h"

#include "record/record_batch_builder.h"
#include "storage/memtable.h"

namespace dendro {
namespace {

/// Larger batches pay for themselves: what a scan does once a batch vanishes beside what it does with their records.
constexpr std::size_t kJoinedRecordsMax = 512;
constexpr std::size_t kJoinedBytesMax = std::size_t{256} << 10;

bool are_small(std::span<const MemtableEntry> entries) {
  std::size_t records = 0;
  std::size_t bytes = 0;
  for (const MemtableEntry& entry : entries) {
    records += entry.batch.size();
    bytes += entry.batch.encoded_bytes();
  }
  return records <= kJoinedRecordsMax && bytes <= kJoinedBytesMax;
}

}  // namespace

std::size_t JoinedBatch::memory_bytes() const {
  return sizeof(JoinedBatch) + batch->memory_bytes() + sequences->capacity() * sizeof(SequenceNumber) +
         receive_times->capacity() * sizeof(Timestamp);
}

std::unique_ptr<const JoinedBatch> join_batches(std::span<const MemtableEntry> entries) {
  if (entries.size() < 2 || !are_small(entries)) return nullptr;
  RecordBatchBuilder builder(entries.front().batch.receive_time());
  auto sequences = std::make_shared<std::vector<SequenceNumber>>();
  auto receive_times = std::make_shared<std::vector<Timestamp>>();
  for (const MemtableEntry& entry : entries) {
    const std::shared_ptr<const RecordBatch> batch = entry.batch.open();
    for (std::size_t row = 0; row < batch->size(); ++row) {
      builder.append_copy(batch->record(row));
      sequences->push_back(entry.first_sequence.next(row));
      receive_times->push_back(batch->receive_time());
    }
  }
  auto joined = std::make_unique<JoinedBatch>();
  joined->batch = builder.finish();
  joined->sequences = std::move(sequences);
  joined->receive_times = std::move(receive_times);
  return joined;
}

}  // namespace dendro
