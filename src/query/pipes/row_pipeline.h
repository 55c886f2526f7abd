#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/pipes/operator.h"
#include "query/plan/field_warnings.h"
#include "query/rows/subquery_rows.h"

namespace dendro {

/// What the pipelines of one run share. Everything outlives them.
struct RunParts {
  QueryInput& input;
  QueryContext& context;
  const Clock& clock;
  CancelToken caller;
  std::shared_ptr<FieldCensus> census;
  const SubqueryTables& tables;
};

/// The editor of a step of this kind; null for others.
std::unique_ptr<RowEditor> make_row_editor(const QueryStep& step, const QueryPlan& plan, const RunParts& parts);

/// The operators of one plan over one pass of the input. Not thread-safe.
class RowPipeline {
 public:
  /// Opens the input. Errors: those of opening.
  /// `name`: the query's among the profiles of the run (QueryProfile::pipelines), where they are wanted.
  static Result<std::unique_ptr<RowPipeline>> open(std::shared_ptr<const QueryPlan> plan, const RunParts& parts,
                                                   const std::string& name = {});

  /// As Operator::next of the last operator.
  Result<std::optional<RowBatch>> next() { return root_->next(); }
  /// The rows of the table that would come out if the input ended here. Nothing: there is no table, or it is not known
  /// in between, or has more rows than kPreviewGroupsMax. An error in a step behind it counts as not known.
  std::optional<RowBatch> rows_now() const;
  const QueryPlan& plan() const { return *plan_; }
  const ScanOperator& scan() const { return *scan_; }
  /// One a `limit` and `offset` pipe, null where no cursor is wanted.
  const std::vector<const RowCounter*>& counters() const { return counters_; }

 private:
  RowPipeline(std::shared_ptr<const QueryPlan> plan, const RunParts& parts) : plan_(std::move(plan)), parts_(parts) {}
  Status build(PipelineProfile* profile);
  TimeRange scan_range() const;
  void add_operator(const QueryStep& step, bool can_page);
  OperatorPtr make_analysis_operator(const QueryStep& step);

  const std::shared_ptr<const QueryPlan> plan_;
  const RunParts parts_;
  std::unique_ptr<BlockStatsSource> block_stats_;  // until its operator has it
  OperatorPtr root_;
  ScanOperator* scan_ = nullptr;     // inside root_
  Operator* table_maker_ = nullptr;  // inside root_: the first step that makes a table of records, if it is stats
  std::size_t steps_to_table_ = 0;   ///< up to and with it
  std::vector<const RowCounter*> counters_;  // inside root_
};

}  // namespace dendro
