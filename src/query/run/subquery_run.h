#pragma once

#include <cstdint>
#include <memory>

#include "query/language/query_parser.h"
#include "query/pipes/row_pipeline.h"
#include "query/rows/row_field.h"

namespace dendro {

/// Runs the queries inside a query, innermost first, and plans the query anew with what they gave: `in(query)` becomes
/// an ordinary `in`, the rows of others are kept in a table. Not thread-safe.
class SubqueryRun {
 public:
  /// `tables` is what `parts.tables` refers to.
  SubqueryRun(std::shared_ptr<const QueryPlan> plan, const RunParts& parts, SubqueryTables& tables);
  /// Some of the work; true once all is done. Errors: too_large (more rows than QueryLimits::subquery_rows_max), those
  /// of the input.
  Result<bool> step();
  /// The plan to run once step() gave true.
  const std::shared_ptr<const QueryPlan>& plan() const { return plan_; }
  std::uint64_t scanned_records() const { return scanned_records_; }
  std::uint64_t scanned_bytes() const { return scanned_bytes_; }

 private:
  const SubPlan* find_open(const QueryPlan& plan) const;
  Status take(const RowBatch& rows);
  void take_values(const RowBatch& rows);
  Status finish();

  std::shared_ptr<const QueryPlan> plan_;
  const RunParts parts_;
  SubqueryTables& tables_;
  SubqueryValues values_;
  // The one at hand.
  std::unique_ptr<RowPipeline> pipeline_;
  Subquery::Use use_ = Subquery::Use::values;
  std::string text_;
  std::unique_ptr<RowField> column_;
  OneOf found_;
  std::shared_ptr<SubqueryRows> kept_;
  std::uint64_t rows_ = 0;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

}  // namespace dendro
