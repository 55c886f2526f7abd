#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "filter/predicate.h"
#include "query/pipes/row_pipeline.h"
#include "query/run/query_table.h"
#include "storage/snapshot.h"

namespace dendro {

/// Records of a snapshot that a filter keeps.
struct RecordScope {
  std::shared_ptr<const Snapshot> snapshot;
  Predicate filter;  ///< not about `_time`, `_id`, `_observed`
  TimeRange range;
  QueryLimits limits;
  CancelToken cancel;
  std::chrono::milliseconds timeout{30'000};
};

/// Those records newest first, one after the other: a query without pipes that its caller pulls. Not thread-safe; calls
/// may come from different threads one after the other.
class RecordRows {
 public:
  /// @param rows_max  no more will be pulled; 0: perhaps all.
  /// @param cursor    cursor_behind() of an earlier one over the same filter; empty: from the newest.
  /// @param now       kept by the cursors.
  /// Errors: invalid_argument (`cursor`), those of opening the scan.
  static Result<std::unique_ptr<RecordRows>> open(const RecordScope& scope, std::uint64_t rows_max,
                                                  const std::string& cursor, Timestamp now, const Clock& clock);
  ~RecordRows();

  /// Borrowed until the next call; null at the end. Errors: cancelled, deadline_exceeded, resource_exhausted (memory),
  /// io_error; final.
  Result<const RecordRow*> next();
  /// What resumes behind a row.
  std::string cursor_behind(RecordPosition position) const;
  /// Damaged parts were left out; the log names them.
  bool left_out_damage() const;

 private:
  RecordRows(const RecordScope& scope, std::shared_ptr<const QueryPlan> plan, const Clock& clock);
  std::optional<Error> why_stopped() const;

  const std::shared_ptr<const QueryPlan> plan_;
  const std::shared_ptr<QueryInput> input_;
  QueryContext context_;
  const SubqueryTables tables_;
  std::unique_ptr<RowPipeline> pipeline_;
  RowBatch batch_;
  std::size_t next_ = 0;  // of batch_
};

/// Counts those records by groups of fields, by the engine's statistics where they tell: one row a combination, the
/// group keys and then the count. Without groups: one row with one cell.
/// Errors: deadline_exceeded, cancelled, resource_exhausted, too_large (too many groups), io_error.
struct RecordCounts {
  std::vector<std::vector<Cell>> rows;
  bool left_out_damage = false;
};
Result<RecordCounts> count_records(const RecordScope& scope, std::vector<GroupKey> groups, Timestamp now,
                                   const Clock& clock);
/// The count at the end of a row.
std::uint64_t count_of_row(const std::vector<Cell>& row);

}  // namespace dendro
