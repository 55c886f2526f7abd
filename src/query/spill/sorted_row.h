#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "query/rows/row_batch.h"
#include "query/rows/value_order.h"

namespace dendro {

/// A row with its place in an order: what comes first decides.
struct SortedRow {
  std::vector<SortValue> keys;
  std::string tie;  ///< by bytes
  std::uint64_t ordinal = 0;
  RecordRow record;  ///< or
  TableRow row;
  /// Without the record's batch.
  std::uint64_t bytes() const {
    std::uint64_t bytes = sizeof(SortedRow) + tie.size();
    for (const SortValue& key : keys) bytes += key.bytes();
    for (const Cell& cell : row) bytes += cell.bytes();
    return bytes;
  }
};

/// The order of rows: their keys, then the tie, then the place of records if it counts, then the order they came in.
struct RowOrder {
  std::vector<bool> descending;  ///< one a key
  bool by_position = false;      ///< records only
  ScanOrder positions = ScanOrder::newest_first;

  bool comes_before(const SortedRow& a, const SortedRow& b) const {
    for (std::size_t k = 0; k < a.keys.size(); ++k) {
      const std::weak_ordering order = compare_sort_values(a.keys[k], b.keys[k], descending[k]);
      if (order != 0) return order < 0;
    }
    if (const int order = a.tie.compare(b.tie); order != 0) return order < 0;
    if (!by_position) return a.ordinal < b.ordinal;
    const RecordPosition left = a.record.position();
    const RecordPosition right = b.record.position();
    return positions == ScanOrder::newest_first ? right < left : left < right;
  }
};

}  // namespace dendro
