#include "query/pipes/row_pipeline.h"

#include <algorithm>
#include <iterator>

#include "query/edit/row_editors.h"

namespace dendro {
namespace {

/// The plan's filter, seeing to it that a scan ends when time is up or the caller has left, and learning field names on
/// the way.
class WatchedFilter final : public RecordFilter {
 public:
  WatchedFilter(std::shared_ptr<const CompiledFilter> filter, std::shared_ptr<FieldCensus> census, const Clock& clock,
                CancelToken caller, CancelToken interrupt, CancelToken scan, std::chrono::nanoseconds deadline)
      : filter_(std::move(filter)),
        census_(std::move(census)),
        clock_(clock),
        caller_(caller),
        interrupt_(interrupt),
        scan_(scan),
        deadline_(deadline) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    if (!wants_more()) {
      rows.clear();
      return;
    }
    census_->look_at(batch);
    filter_->select(batch, rows);
  }
  std::optional<FilterMeaning> meaning() const override { return filter_->meaning(); }
  void note_field_seen(std::string_view field) const override { filter_->note_field_seen(field); }
  void note_kinds(const std::vector<Shape>& shapes, const std::vector<Stream>& streams) const override {
    census_->look_at(shapes, streams);
  }
  bool wants_more() const override {
    const bool goes_on = !scan_.cancelled() && !caller_.cancelled() && !interrupt_.cancelled();
    if (goes_on && clock_.monotonic() < deadline_) return true;
    CancelToken(scan_).cancel();
    return false;
  }

 private:
  const std::shared_ptr<const CompiledFilter> filter_;
  const std::shared_ptr<FieldCensus> census_;
  const Clock& clock_;
  const CancelToken caller_;
  const CancelToken interrupt_;
  const CancelToken scan_;
  const std::chrono::nanoseconds deadline_;
};

}  // namespace

Result<std::unique_ptr<RowPipeline>> RowPipeline::open(std::shared_ptr<const QueryPlan> plan, const RunParts& parts,
                                                       const std::string& name) {
  QueryProfile* const profile = parts.context.profile.get();
  std::unique_ptr<RowPipeline> pipeline(new RowPipeline(std::move(plan), parts));
  DENDRO_TRY(pipeline->build(profile != nullptr ? &profile->pipelines[name] : nullptr));
  return pipeline;
}

Status RowPipeline::build(PipelineProfile* profile) {
  ScanRequest request;
  if (profile != nullptr) {
    request.profile = profile->scan;
    profile->steps.assign(plan_->steps.size(), {});
  }
  request.range = plan_->is_empty_range ? TimeRange{Timestamp(0), Timestamp(0)} : scan_range();
  request.order = plan_->request.order;
  request.cancel = parts_.context.scan_cancel();
  request.reduction = plan_->reduction;
  request.filter = std::make_shared<WatchedFilter>(plan_->scan_filter, parts_.census, parts_.clock, parts_.caller,
                                                   parts_.context.interrupt(), parts_.context.scan_cancel(),
                                                   parts_.context.deadline());
  if (!plan_->steps.empty() && std::holds_alternative<BlockStatsPipe>(plan_->steps.front().pipe)) {
    DENDRO_TRY_ASSIGN(block_stats_, parts_.input.block_stats(request));
  }
  DENDRO_TRY_ASSIGN(auto source, parts_.input.open(request));
  auto scan = make_scan_operator(*plan_, std::move(source), parts_.context);
  if (profile != nullptr) scan = make_counted_scan(std::move(scan), profile->scanned, parts_.clock);
  scan_ = scan.get();
  const bool can_page = plan_->is_pageable && parts_.input.is_ordered() && plan_->limit.has_value();
  const bool may_outgrow_memory =
      !parts_.input.is_ordered() && plan_->rows_needed == 0 && parts_.context.spill.is_there();
  if (plan_->needs_order && may_outgrow_memory) {
    // Of files every record waits until the last one is read: a sort by nothing but the place.
    QueryStep by_position;
    by_position.sort = {true, plan_->request.order};
    by_position.need = fields_needed_from(*plan_, 0);
    root_ = make_sort_operator(std::move(scan), SortPipe(), by_position, parts_.context);
  } else if (plan_->needs_order) {
    root_ = make_order_operator(std::move(scan), *plan_, parts_.input.is_ordered(), parts_.context);
  } else {
    root_ = std::move(scan);
  }
  if (profile != nullptr) root_ = make_counted_operator(std::move(root_), profile->ordered, parts_.clock);
  for (std::size_t i = 0; i < plan_->steps.size(); ++i) {
    const QueryStep& step = plan_->steps[i];
    add_operator(step, can_page);
    if (!step.input.is_table && table_maker_ == nullptr && std::holds_alternative<StatsPipe>(step.pipe)) {
      table_maker_ = root_.get();
      steps_to_table_ = i + 1;
    }
    if (profile != nullptr) root_ = make_counted_operator(std::move(root_), profile->steps[i], parts_.clock);
  }
  return {};
}

std::optional<RowBatch> RowPipeline::rows_now() const {
  if (table_maker_ == nullptr) return std::nullopt;
  std::optional<std::vector<TableRow>> made = table_maker_->rows_now(kPreviewGroupsMax);
  if (!made) return std::nullopt;
  // The steps behind the table, once more, beside those that wait for its end.
  QueryRunOptions options;
  options.limits = parts_.context.limits;
  options.limits.spill = nullptr;
  constexpr std::chrono::seconds kLongEnough{2};
  QueryContext context(options, parts_.clock, kLongEnough);
  RowPipeline rest(plan_, {parts_.input, context, parts_.clock, parts_.caller, parts_.census, parts_.tables});
  rest.root_ = make_table_operator(std::move(*made));
  for (std::size_t i = steps_to_table_; i < plan_->steps.size(); ++i) rest.add_operator(plan_->steps[i], false);
  RowBatch rows;
  for (;;) {
    Result<std::optional<RowBatch>> some = rest.next();
    if (!some || context.is_stopped()) return std::nullopt;
    if (!some->has_value()) return rows;
    std::move((*some)->table.begin(), (*some)->table.end(), std::back_inserter(rows.table));
  }
}

/// What a cursor has passed need not be looked at again.
TimeRange RowPipeline::scan_range() const {
  TimeRange range = plan_->scan_range();
  if (!plan_->cursor) return range;
  const Timestamp at = plan_->cursor->position.timestamp;
  if (plan_->request.order == ScanOrder::newest_first) {
    if (at != kTimestampMax) range.last = std::min(range.last, at.next());
  } else {
    range.first = std::max(range.first, at);
  }
  return range;
}

void RowPipeline::add_operator(const QueryStep& step, bool can_page) {
  const auto counted_before = [&] {
    const std::size_t index = counters_.size();
    return plan_->cursor && index < plan_->cursor->counts.size() ? plan_->cursor->counts[index] : std::uint64_t{0};
  };
  if (const auto* limit = std::get_if<LimitPipe>(&step.pipe)) {
    const RowCounter* counter = nullptr;
    root_ = make_limit_operator(std::move(root_), limit->count, counted_before(), can_page ? &counter : nullptr);
    counters_.push_back(counter);
  } else if (const auto* offset = std::get_if<OffsetPipe>(&step.pipe)) {
    const RowCounter* counter = nullptr;
    root_ = make_offset_operator(std::move(root_), offset->count, counted_before(), can_page ? &counter : nullptr);
    counters_.push_back(counter);
  } else if (std::holds_alternative<WherePipe>(step.pipe)) {
    root_ = make_where_operator(std::move(root_), step.filter, step.input);
  } else if (std::holds_alternative<FieldsPipe>(step.pipe)) {
    if (step.input.is_table) root_ = make_columns_operator(std::move(root_), step.columns);
  } else if (const auto* sort = std::get_if<SortPipe>(&step.pipe)) {
    root_ = make_sort_operator(std::move(root_), *sort, step, parts_.context);
  } else if (const auto* stats = std::get_if<StatsPipe>(&step.pipe)) {
    root_ = make_stats_operator(std::move(root_), *stats, step, parts_.context);
  } else if (std::holds_alternative<FieldNamesPipe>(step.pipe)) {
    root_ = make_field_names_operator(std::move(root_), step.input, parts_.context);
  } else if (const auto* pattern = std::get_if<PatternPipe>(&step.pipe)) {
    root_ = make_pattern_operator(std::move(root_), *pattern, step.input, parts_.context);
  } else if (const auto* facets = std::get_if<FacetsPipe>(&step.pipe)) {
    root_ = make_facets_operator(std::move(root_), facets->count, step.input, parts_.context);
  } else if (const auto* dedup = std::get_if<DedupPipe>(&step.pipe)) {
    root_ = make_dedup_operator(std::move(root_), *dedup, step.input, parts_.context);
  } else if (const auto* sample = std::get_if<SamplePipe>(&step.pipe)) {
    root_ = make_sample_operator(std::move(root_), sample->one_in);
  } else if (const auto* tail = std::get_if<TailPipe>(&step.pipe)) {
    root_ = make_tail_operator(std::move(root_), tail->count, parts_.context);
  } else if (const auto* other = std::get_if<UnionPipe>(&step.pipe)) {
    root_ = make_union_operator(std::move(root_), parts_.tables.find(other->query)->second, step, plan_->request.order);
  } else if (std::holds_alternative<BlockStatsPipe>(step.pipe)) {
    root_ = make_block_stats_operator(std::move(root_), std::move(block_stats_), parts_.context);
  } else if (OperatorPtr analysis = make_analysis_operator(step)) {
    root_ = std::move(analysis);
  } else if (auto editor = make_row_editor(step, *plan_, parts_)) {
    root_ = make_rewrite_operator(std::move(root_), std::move(editor), step);
  }
}

/// The pipes of language/analysis_ast.h; takes root_. Null, and root_ as it was, for others.
OperatorPtr RowPipeline::make_analysis_operator(const QueryStep& step) {
  QueryContext& context = parts_.context;
  if (const auto* around = std::get_if<ContextPipe>(&step.pipe))
    return make_context_operator(std::move(root_), step, around->count, context);
  if (const auto* stats = std::get_if<WithStatsPipe>(&step.pipe); stats != nullptr && !stats->is_running)
    return make_event_stats_operator(std::move(root_), *stats, step, context);
  if (const auto* transaction = std::get_if<TransactionPipe>(&step.pipe))
    return make_transaction_operator(std::move(root_), *transaction, step, context);
  if (const auto* fill = std::get_if<FillGapsPipe>(&step.pipe))
    return make_fill_gaps_operator(std::move(root_), *fill, step, context);
  if (const auto* compare = std::get_if<ComparePipe>(&step.pipe))
    return make_compare_operator(std::move(root_), *compare, step, context);
  if (const auto* histogram = std::get_if<HistogramPipe>(&step.pipe))
    return make_histogram_operator(std::move(root_), *histogram, step.input);
  if (const auto* series = std::get_if<SeriesPipe>(&step.pipe))
    return make_series_operator(std::move(root_), *series, step, context);
  if (const auto* correlate = std::get_if<CorrelatePipe>(&step.pipe))
    return make_correlate_operator(std::move(root_), *correlate, step, context);
  return nullptr;
}

}  // namespace dendro
