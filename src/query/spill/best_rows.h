#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "query/plan/query_context.h"
#include "query/spill/row_sorter.h"

namespace dendro {

/// The first so many rows of an order: keeps about twice as many at most. Batches are charged whole as long as a kept
/// row lies in them; where they are much larger than their kept rows, these are copied out. Not thread-safe.
class BestRows {
 public:
  BestRows(RowOrder order, std::uint64_t count, bool is_table, QueryContext& context)
      : order_(std::move(order)), count_(count), is_table_(is_table), context_(context) {}
  ~BestRows() { context_.release(charged_bytes_); }
  BestRows(const BestRows&) = delete;
  BestRows& operator=(const BestRows&) = delete;

  /// False: so many better ones are known that this one never comes out.
  bool wants(const SortedRow& row) const { return !worst_ || !order_.comes_before(worst_->row, row); }
  /// The same of any row with that first key, as far as it decides.
  bool may_want(const SortValue& first_key) const {
    return !worst_ || compare_sort_values(worst_->row.keys.front(), first_key, order_.descending.front()) >= 0;
  }
  /// False where memory has no more, whatever was dropped; the row is kept all the same.
  bool add(SortedRow row, std::shared_ptr<const RecordBatch> batch);
  std::uint64_t charged_bytes() const { return charged_bytes_; }
  /// All that is left goes to the sorter. As RowSorter::add.
  Result<bool> hand_to(RowSorter& sorter);

 private:
  struct Kept {
    SortedRow row;
    std::shared_ptr<const RecordBatch> batch;
  };
  void drop_rest();
  void copy_records();
  void hold(const Kept& kept);
  void let_go(const Kept& kept);

  const RowOrder order_;
  const std::uint64_t count_;
  const bool is_table_;
  QueryContext& context_;
  std::vector<Kept> kept_;
  std::optional<Kept> worst_;
  std::unordered_map<const RecordBatch*, std::size_t> held_;  ///< rows of each
  std::uint64_t held_bytes_ = 0;
  std::uint64_t share_bytes_ = 0;  ///< of held_bytes_, what the kept rows take
  std::uint64_t charged_bytes_ = 0;
};

}  // namespace dendro
