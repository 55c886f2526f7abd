#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/byte_budget.h"
#include "record/record_batch.h"

namespace dendro {

/// What all live tails of a server hold together: batches on their way to readers, missed records, what pipes remember.
/// A batch that several tails wait with counts once, until the last of them lets it go. Thread-safe; held by shared_ptr
/// as long as something counts.
class TailMemory {
 public:
  explicit TailMemory(std::uint64_t bytes_max) : budget_(std::make_shared<ByteBudget>(bytes_max)) {}

  /// The same batch, counted as long as anybody has it. Null: there is no room.
  std::shared_ptr<const RecordBatch> hold(const std::shared_ptr<const RecordBatch>& batch) const;
  /// The same of a batch that a lease counts, with others.
  static std::shared_ptr<const RecordBatch> hold_by(const std::shared_ptr<const ByteLease>& lease,
                                                    const std::shared_ptr<const RecordBatch>& batch);
  /// `bytes`, or as much of it as there is; perhaps nothing.
  ByteLease lease_up_to(std::uint64_t bytes) const;
  static std::uint64_t bytes_of(const RecordBatch& batch);

  /// What one reader may wait with: its part of one half while more than that half is taken, anything otherwise.
  std::uint64_t reader_bytes_max() const;
  void add_reader() const { readers_.fetch_add(1, std::memory_order_relaxed); }
  void remove_reader() const { readers_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint64_t used() const { return budget_->used(); }
  const std::shared_ptr<ByteBudget>& budget() const { return budget_; }

 private:
  const std::shared_ptr<ByteBudget> budget_;
  mutable std::atomic<std::uint64_t> readers_{0};
};

}  // namespace dendro
