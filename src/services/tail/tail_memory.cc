#include "services/tail/tail_memory.h"

#include <algorithm>
#include <limits>

#include "services/tail/limits.h"

namespace dendro {
namespace {

/// A batch and what counts it; who holds the one holds the other.
template <typename Lease>
struct HeldBatch {
  std::shared_ptr<const RecordBatch> batch;
  Lease lease;
};

template <typename Lease>
std::shared_ptr<const RecordBatch> hold_with(Lease lease, const std::shared_ptr<const RecordBatch>& batch) {
  const auto held = std::make_shared<HeldBatch<Lease>>(HeldBatch<Lease>{batch, std::move(lease)});
  return {held, batch.get()};
}

}  // namespace

std::uint64_t TailMemory::bytes_of(const RecordBatch& batch) {
  return batch.encoded().size() + kTailBatchOverheadBytes;
}

std::shared_ptr<const RecordBatch> TailMemory::hold(const std::shared_ptr<const RecordBatch>& batch) const {
  ByteLease lease(budget_);
  if (!lease.grow_to(bytes_of(*batch))) return nullptr;
  return hold_with(std::move(lease), batch);
}

std::shared_ptr<const RecordBatch> TailMemory::hold_by(const std::shared_ptr<const ByteLease>& lease,
                                                       const std::shared_ptr<const RecordBatch>& batch) {
  return hold_with(lease, batch);
}

std::uint64_t TailMemory::reader_bytes_max() const {
  const std::uint64_t half = budget_->bytes_max() / 2;
  if (budget_->used() <= half) return std::numeric_limits<std::uint64_t>::max();
  return half / std::max<std::uint64_t>(1, readers_.load(std::memory_order_relaxed));
}

ByteLease TailMemory::lease_up_to(std::uint64_t bytes) const {
  ByteLease lease(budget_);
  // Others take and give back meanwhile: what is there now may be gone, so each try asks for half as much at most.
  for (std::uint64_t wanted = bytes; wanted > 0 && !lease.grow_to(wanted);) {
    wanted = std::min(wanted / 2, budget_->bytes_max() - std::min(budget_->used(), budget_->bytes_max()));
  }
  return lease;
}

}  // namespace dendro
