#include "query/spill/best_rows.h"

#include <algorithm>

namespace dendro {
namespace {

constexpr std::size_t kSurplusRows = 1'024;
/// Below this nothing is copied: a few batches of 8 MiB.
constexpr std::uint64_t kBestCopiedFromBytes = std::uint64_t{32} << 20;
constexpr std::size_t kBestCopiedBatchBytes = std::size_t{2} << 20;

std::uint64_t share_of(const RecordBatch& batch) {
  return batch.encoded().size() / batch.size();
}

}  // namespace

bool BestRows::add(SortedRow row, std::shared_ptr<const RecordBatch> batch) {
  kept_.push_back({std::move(row), std::move(batch)});
  const std::uint64_t charged_before = charged_bytes_;
  hold(kept_.back());
  bool has_room = context_.take(charged_bytes_ - charged_before);
  const bool is_sparse = held_bytes_ > std::min(kBestCopiedFromBytes, context_.limits.memory_bytes_max / 8) &&
                         held_bytes_ > 2 * share_bytes_;
  if (kept_.size() > 2 * count_ + kSurplusRows || is_sparse || !has_room) {
    drop_rest();
    if (held_bytes_ > 2 * share_bytes_) copy_records();
    has_room = context_.take(0);
  }
  return has_room;
}

void BestRows::hold(const Kept& kept) {
  charged_bytes_ += kept.row.bytes();
  if (kept.batch == nullptr) return;
  share_bytes_ += share_of(*kept.batch);
  if (held_[kept.batch.get()]++ > 0) return;
  held_bytes_ += kept.batch->encoded().size();
  charged_bytes_ += kept.batch->encoded().size();
}

void BestRows::let_go(const Kept& kept) {
  charged_bytes_ -= kept.row.bytes();
  if (kept.batch == nullptr) return;
  share_bytes_ -= share_of(*kept.batch);
  const auto held = held_.find(kept.batch.get());
  if (--held->second > 0) return;
  held_.erase(held);
  held_bytes_ -= kept.batch->encoded().size();
  charged_bytes_ -= kept.batch->encoded().size();
}

void BestRows::drop_rest() {
  if (kept_.size() <= count_) return;
  const std::uint64_t charged_before = charged_bytes_;
  const auto surplus = kept_.begin() + static_cast<std::ptrdiff_t>(count_);
  std::nth_element(kept_.begin(), surplus - 1, kept_.end(),
                   [this](const Kept& a, const Kept& b) { return order_.comes_before(a.row, b.row); });
  for (auto kept = surplus; kept != kept_.end(); ++kept) let_go(*kept);
  kept_.erase(surplus, kept_.end());
  worst_ = kept_.back();
  context_.release(charged_before - charged_bytes_);
}

void BestRows::copy_records() {
  if (is_table_) return;
  const std::uint64_t charged_before = charged_bytes_;
  RecordBatchBuilder builder{Timestamp()};
  std::size_t first = 0;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    builder.append_copy(kept_[i].row.record.record());
    if (builder.encoded_bytes() < kBestCopiedBatchBytes && i + 1 < kept_.size()) continue;
    const std::shared_ptr<const RecordBatch> batch = builder.finish();
    for (; first <= i; ++first) {
      Kept& kept = kept_[first];
      let_go(kept);
      kept.batch = batch;
      kept.row.record.batch = batch.get();
      kept.row.record.row = static_cast<std::uint32_t>(first + batch->size() - i - 1);
      hold(kept);
    }
  }
  context_.release(charged_before);
  (void)context_.take(charged_bytes_);
}

Result<bool> BestRows::hand_to(RowSorter& sorter) {
  drop_rest();
  bool goes_on = true;
  while (!kept_.empty()) {
    Kept kept = std::move(kept_.back());
    kept_.pop_back();
    const std::uint64_t charged_before = charged_bytes_;
    let_go(kept);
    context_.release(charged_before - charged_bytes_);
    DENDRO_TRY_ASSIGN(goes_on, sorter.add(std::move(kept.row), kept.batch));
  }
  return goes_on;
}

}  // namespace dendro
