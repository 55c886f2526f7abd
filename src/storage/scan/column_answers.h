#pragma once

#include <cstdint>
#include <map>

#include "base/result.h"
#include "storage/scan/condition_scan.h"
#include "storage/scan/scan_node.h"

namespace dendro {

/// Answers of a condition on the columns of one row group, each column asked once.
class ColumnAnswers {
 public:
  ColumnAnswers(ConditionScan& condition, RowGroupReader& reader, FilterProbe& probe)
      : condition_(condition), reader_(reader), probe_(probe) {}
  /// Records with a value in the column for which the condition holds.
  Result<const RowBitmap*> rows(std::uint32_t column) {
    const auto [found, is_new] = answers_.emplace(column, RowBitmap());
    if (is_new) {
      found->second = RowBitmap(rows_in(reader_));
      const ColumnEntry* entry = reader_.entry().find_column(column);
      if (entry != nullptr) DENDRO_TRY(condition_.find(reader_, *entry, probe_, found->second));
    }
    return &found->second;
  }

 private:
  ConditionScan& condition_;
  RowGroupReader& reader_;
  FilterProbe& probe_;
  std::map<std::uint32_t, RowBitmap> answers_;
};

}  // namespace dendro
