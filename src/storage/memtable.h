#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "record/record_batch.h"
#include "storage/batch_key_window.h"
#include "storage/joined_batch.h"
#include "storage/memtable_batch.h"

namespace dendro {

/// A committed batch and its place.
struct MemtableEntry {
  MemtableBatch batch;
  SequenceNumber first_sequence;
  std::shared_ptr<const KeyedReply> keyed;  ///< the request it came with, if that had a key
};

/// What a batch counts in a memtable, packed or not: what it takes once it is open.
std::uint64_t memtable_bytes_of(const RecordBatch& batch);

/// Committed batches of one tenant in order of sequence. One writer, which others exclude by their lock; whoever learnt
/// a count under that lock may read the entries below it without one, for ever: entries never move or change. Groups of
/// entries may get a joined batch beside them, later.
class Memtable {
 public:
  static constexpr std::size_t kGroupEntries = 64;

  /// Of the monotonic clock, when its first batch came.
  explicit Memtable(std::chrono::nanoseconds created) : created_(created) {}
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  void append(MemtableEntry entry);
  std::size_t size() const { return size_; }
  const MemtableEntry& operator[](std::size_t index) const;
  /// Entries [group * kGroupEntries, + kGroupEntries), all of which must be there.
  std::span<const MemtableEntry> group(std::size_t group) const;
  /// Under the writers' lock, once a group.
  void attach(std::size_t group, std::unique_ptr<const JoinedBatch> joined);
  /// What was attached; null: nothing. Without a lock; lives as long as this.
  const JoinedBatch* joined(std::size_t group) const;
  /// Entries and joined batches, as memtable_bytes_of() counts.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t records() const { return records_; }
  std::chrono::nanoseconds created() const { return created_; }

 private:
  /// Chunk k holds 1 << k groups, so that 26 pointers, which never move, are enough for 4 G entries.
  static constexpr std::size_t kFirstChunkEntries = kGroupEntries;
  static constexpr std::size_t kChunkCount = 26;
  using JoinedPlaces = std::unique_ptr<std::atomic<const JoinedBatch*>[]>;
  static std::size_t chunk_of(std::size_t index);
  static std::size_t chunk_first(std::size_t chunk) { return kFirstChunkEntries * ((std::size_t{1} << chunk) - 1); }

  const std::chrono::nanoseconds created_;
  std::array<std::unique_ptr<MemtableEntry[]>, kChunkCount> chunks_;
  std::array<JoinedPlaces, kChunkCount> joined_;  ///< one a group of a chunk
  std::vector<std::unique_ptr<const JoinedBatch>> kept_joined_;
  std::size_t size_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t records_ = 0;
};

/// The first `count` entries of a memtable. Immutable; thread-safe.
struct MemtableView {
  std::shared_ptr<const Memtable> memtable;
  std::size_t count = 0;
  const MemtableEntry& operator[](std::size_t index) const { return (*memtable)[index]; }
};

}  // namespace dendro
