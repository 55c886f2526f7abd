#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "query/edit/row_edits.h"
#include "query/plan/query_context.h"
#include "query/plan/query_plan.h"
#include "query/rows/row_batch.h"

namespace dendro {

struct SubqueryRows;

/// A step of a plan: pulls rows from the step before and hands on its own. Not thread-safe.
class Operator {
 public:
  virtual ~Operator() = default;
  /// Some rows; an empty batch = none yet, call again (so that a long step can be looked at from outside); nothing =
  /// the end. When the context stops, what is known so far comes out and then the end. Errors are final.
  virtual Result<std::optional<RowBatch>> next() = 0;
  /// The rows of a table that would come out if the input ended here; it goes on as if nothing were asked. Nothing: not
  /// known, or more than `rows_max`.
  virtual std::optional<std::vector<TableRow>> rows_now(std::size_t /*rows_max*/) { return std::nullopt; }
};

using OperatorPtr = std::unique_ptr<Operator>;

/// The leaf of every plan: blocks of the input, as they come.
class ScanOperator : public Operator {
 public:
  /// No later row is newer (older, if the order is oldest first) than this.
  virtual Timestamp bound() const = 0;
  /// The input said that it has no more.
  virtual bool is_exhausted() const = 0;
  virtual std::uint64_t scanned_records() const = 0;
  virtual std::uint64_t scanned_bytes() const = 0;
};

/// Counts rows up to a place in the order, so that a cursor can carry a `limit` or `offset` pipe over to the next page.
class RowCounter {
 public:
  virtual ~RowCounter() = default;
  /// Rows that went in, over all pages, up to and with the record at `position`.
  virtual std::uint64_t count_until(RecordPosition position, ScanOrder order) const = 0;
};

std::unique_ptr<ScanOperator> make_scan_operator(const QueryPlan& plan, std::unique_ptr<BlockSource> source,
                                                 QueryContext& context);
/// `input`, its rows counted and its time taken, for `profile`, which outlives it, as `clock` does.
std::unique_ptr<ScanOperator> make_counted_scan(std::unique_ptr<ScanOperator> input, OperatorProfile& profile,
                                                const Clock& clock);
OperatorPtr make_counted_operator(OperatorPtr input, OperatorProfile& profile, const Clock& clock);
/// Gives the rows of a table that is there already.
OperatorPtr make_table_operator(std::vector<TableRow> rows);
/// Puts records into the total order of answers (query-language.md D1); hands on at most `rows_max` (0 = all).
OperatorPtr make_order_operator(std::unique_ptr<ScanOperator> input, const QueryPlan& plan, bool is_ordered_input,
                                QueryContext& context);
OperatorPtr make_where_operator(OperatorPtr input, std::shared_ptr<const CompiledFilter> filter, RowShape shape);
/// `counted_before`: rows of earlier pages. `counter` gets the operator's counter, null if no cursor is wanted.
OperatorPtr make_limit_operator(OperatorPtr input, std::uint64_t count, std::uint64_t counted_before,
                                const RowCounter** counter);
OperatorPtr make_offset_operator(OperatorPtr input, std::uint64_t count, std::uint64_t counted_before,
                                 const RowCounter** counter);
/// One of the pipes that change rows one by one; `step` outlives the operator.
OperatorPtr make_rewrite_operator(OperatorPtr input, std::unique_ptr<RowEditor> editor, const QueryStep& step);
OperatorPtr make_dedup_operator(OperatorPtr input, const DedupPipe& pipe, const RowShape& shape, QueryContext& context);
OperatorPtr make_sample_operator(OperatorPtr input, std::uint64_t one_in);
OperatorPtr make_tail_operator(OperatorPtr input, std::uint64_t count, QueryContext& context);
/// `other`: the rows of the query inside; `step.merges`: at their places in `order`.
OperatorPtr make_union_operator(OperatorPtr input, std::shared_ptr<const SubqueryRows> other, const QueryStep& step,
                                ScanOrder order);
OperatorPtr make_field_names_operator(OperatorPtr input, const RowShape& shape, QueryContext& context);
OperatorPtr make_pattern_operator(OperatorPtr input, const PatternPipe& pipe, const RowShape& shape,
                                  QueryContext& context);
OperatorPtr make_facets_operator(OperatorPtr input, std::uint64_t count, const RowShape& shape, QueryContext& context);
// The pipes of language/analysis_ast.h. `pipe` and `step` outlive the operator.
OperatorPtr make_context_operator(OperatorPtr input, const QueryStep& step, std::uint64_t count, QueryContext& context);
OperatorPtr make_event_stats_operator(OperatorPtr input, const WithStatsPipe& pipe, const QueryStep& step,
                                      QueryContext& context);
/// Of records that come oldest first.
OperatorPtr make_transaction_operator(OperatorPtr input, const TransactionPipe& pipe, const QueryStep& step,
                                      QueryContext& context);
OperatorPtr make_fill_gaps_operator(OperatorPtr input, const FillGapsPipe& pipe, const QueryStep& step,
                                    QueryContext& context);
OperatorPtr make_compare_operator(OperatorPtr input, const ComparePipe& pipe, const QueryStep& step,
                                  QueryContext& context);
OperatorPtr make_histogram_operator(OperatorPtr input, const HistogramPipe& pipe, const RowShape& shape);
OperatorPtr make_series_operator(OperatorPtr input, const SeriesPipe& pipe, const QueryStep& step,
                                 QueryContext& context);
OperatorPtr make_correlate_operator(OperatorPtr input, const CorrelatePipe& pipe, const QueryStep& step,
                                    QueryContext& context);
/// `scan`: of the same records, which nobody asks for.
OperatorPtr make_block_stats_operator(OperatorPtr scan, std::unique_ptr<BlockStatsSource> source,
                                      QueryContext& context);
/// `fields` and `drop` of a table; those of records are a matter of the plan's RowShape alone.
OperatorPtr make_columns_operator(OperatorPtr input, std::vector<std::size_t> columns);
OperatorPtr make_sort_operator(OperatorPtr input, const SortPipe& pipe, const QueryStep& step, QueryContext& context);
OperatorPtr make_stats_operator(OperatorPtr input, const StatsPipe& pipe, const QueryStep& step, QueryContext& context);

}  // namespace dendro
