#pragma once

#include <vector>

#include "query/plan/query_context.h"
#include "query/rows/row_batch.h"

namespace dendro {

/// Rows that an operator keeps until it has seen them all: charged, and bounded as a sort without limit is. Not
/// thread-safe.
class KeptRows {
 public:
  /// `pipe`: its name, for the warning of a cut.
  KeptRows(std::string_view pipe, QueryContext& context) : pipe_(pipe), context_(context) {}

  /// False once no more may come in.
  bool add(RowBatch rows) {
    if (count_ + rows.size() > context_.limits.sort_rows_max) {
      context_.warn_once(
          {"rows_limit", pipe_ + " keeps at most " + std::to_string(context_.limits.sort_rows_max) + " rows", 0, 0});
      context_.stop(StopReason::memory);
      return false;
    }
    count_ += rows.size();
    std::uint64_t bytes = rows.size() * sizeof(RecordRow);
    for (const auto& batch : rows.held) {
      if (batch == last_batch_) continue;
      bytes += batch->encoded().size();
      last_batch_ = batch;
    }
    for (const TableRow& row : rows.table) {
      for (const Cell& cell : row) bytes += cell.bytes();
    }
    batches_.push_back(std::move(rows));
    return context_.charge(bytes);
  }
  std::vector<RowBatch>& batches() { return batches_; }
  /// All rows of a table, one after the other.
  std::vector<TableRow> take_table() {
    std::vector<TableRow> table;
    for (RowBatch& rows : batches_) {
      for (TableRow& row : rows.table) table.push_back(std::move(row));
    }
    batches_.clear();
    return table;
  }

 private:
  const std::string pipe_;
  QueryContext& context_;
  std::vector<RowBatch> batches_;
  std::shared_ptr<const RecordBatch> last_batch_;
  std::size_t count_ = 0;
};

}  // namespace dendro
