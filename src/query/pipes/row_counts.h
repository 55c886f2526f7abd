#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "query/pipes/operator.h"

namespace dendro {

/// Remembers the places of the records that went into an operator on this page: 16 bytes each.
class PositionCounter final : public RowCounter {
 public:
  PositionCounter(std::uint64_t counted_before, bool is_wanted)
      : counted_before_(counted_before), is_wanted_(is_wanted) {}

  void add(const RowBatch& rows) {
    if (!is_wanted_) return;
    for (const RecordRow& row : rows.records) positions_.push_back(row.position());
  }
  std::uint64_t count_until(RecordPosition position, ScanOrder order) const override {
    const auto is_within = [&](RecordPosition p) {
      return order == ScanOrder::newest_first ? position <= p : p <= position;
    };
    const auto behind = std::partition_point(positions_.begin(), positions_.end(), is_within);
    return counted_before_ + static_cast<std::uint64_t>(behind - positions_.begin());
  }

 private:
  const std::uint64_t counted_before_;
  const bool is_wanted_;
  std::vector<RecordPosition> positions_;
};

}  // namespace dendro
