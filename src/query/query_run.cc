#include <algorithm>

#include "query/answer_writer.h"
#include "query/field_warnings.h"
#include "query/operator.h"
#include "query/row_field.h"

namespace dendro {
namespace {

/// A piece goes out at this size, or once rows have waited this long (ui.md 11.2), whichever comes first.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kPieceTime{50};
constexpr std::chrono::milliseconds kProgressTime{250};

/// The plan's filter, seeing to it that a scan ends when time is up or the caller has left, and learning field names on
/// the way.
class WatchedFilter final : public RecordFilter {
 public:
  WatchedFilter(std::shared_ptr<const CompiledFilter> filter, std::shared_ptr<FieldCensus> census, const Clock& clock,
                CancelToken caller, CancelToken scan, std::chrono::nanoseconds deadline)
      : filter_(std::move(filter)),
        census_(std::move(census)),
        clock_(clock),
        caller_(caller),
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
    if (!scan_.cancelled() && !caller_.cancelled() && clock_.monotonic() < deadline_) return true;
    CancelToken(scan_).cancel();
    return false;
  }

 private:
  const std::shared_ptr<const CompiledFilter> filter_;
  const std::shared_ptr<FieldCensus> census_;
  const Clock& clock_;
  const CancelToken caller_;
  const CancelToken scan_;
  const std::chrono::nanoseconds deadline_;
};

std::string reason_text(StopReason reason) {
  switch (reason) {
    case StopReason::timeout:
      return "timeout";
    case StopReason::memory:
      return "memory";
    case StopReason::cancelled:
      return "cancelled";
    case StopReason::error:
      return "error";
    case StopReason::none:
      break;
  }
  return "end";
}

/// States: fresh -> running -> ended. `fresh` opens the input and writes the head; `running` pulls; `ended` has written
/// the status.
class PlanRun final : public QueryRun {
 public:
  PlanRun(PreparedQuery query, std::shared_ptr<QueryInput> input, QueryRunOptions options, const Clock& clock)
      : query_(std::move(query)),
        plan_(query_.plan()),
        input_(std::move(input)),
        options_(std::move(options)),
        clock_(clock),
        context_(options_, clock, plan_.request.timeout),
        census_(std::make_shared<FieldCensus>()),
        writer_(make_answer_writer(plan_, options_)) {
    outcome_.warnings = plan_.warnings;
  }

  Result<std::optional<std::string>> next_piece() override {
    if (state_ == State::ended) return std::optional<std::string>();
    std::string out;
    const auto began = context_.now();
    if (state_ == State::fresh) {
      DENDRO_TRY(open());
      writer_->begin(out);
      state_ = State::running;
    }
    while (state_ == State::running) {
      step(out);
      if (out.size() >= kPieceBytes || (!out.empty() && context_.now() - began >= kPieceTime)) break;
    }
    if (out.empty()) return std::optional<std::string>();
    return std::optional<std::string>(std::move(out));
  }

  bool is_finished() const override { return state_ == State::ended; }
  const QueryOutcome& outcome() const override { return outcome_; }

 private:
  enum class State : std::uint8_t { fresh, running, ended };

  Status open() {
    last_progress_ = context_.now();
    ScanRequest request;
    request.range = plan_.is_empty_range ? TimeRange{Timestamp(0), Timestamp(0)} : scan_range();
    request.order = plan_.request.order;
    request.cancel = context_.scan_cancel();
    request.reduction = plan_.reduction;
    request.filter = std::make_shared<WatchedFilter>(plan_.scan_filter, census_, clock_, options_.cancel,
                                                     context_.scan_cancel(), context_.now() + plan_.request.timeout);
    DENDRO_TRY_ASSIGN(auto source, input_->open(request));
    auto scan = make_scan_operator(plan_, std::move(source), context_);
    scan_ = scan.get();
    const bool can_page = plan_.is_pageable && input_->is_ordered() && plan_.limit.has_value();
    if (plan_.needs_order) {
      root_ = make_order_operator(std::move(scan), plan_, input_->is_ordered(), context_);
    } else {
      root_ = std::move(scan);
    }
    for (const QueryStep& step : plan_.steps) add_operator(step, can_page);
    return {};
  }

  /// What a cursor has passed need not be looked at again.
  TimeRange scan_range() const {
    TimeRange range = plan_.range;
    if (!plan_.cursor) return range;
    const Timestamp at = plan_.cursor->position.timestamp;
    if (plan_.request.order == ScanOrder::newest_first) {
      if (at != kTimestampMax) range.last = std::min(range.last, at.next());
    } else {
      range.first = std::max(range.first, at);
    }
    return range;
  }

  void add_operator(const QueryStep& step, bool can_page) {
    const auto counted_before = [&] {
      const std::size_t index = counters_.size();
      return plan_.cursor && index < plan_.cursor->counts.size() ? plan_.cursor->counts[index] : std::uint64_t{0};
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
      root_ = make_sort_operator(std::move(root_), *sort, step.sort, step.input, context_);
    } else if (const auto* stats = std::get_if<StatsPipe>(&step.pipe)) {
      root_ = make_stats_operator(std::move(root_), *stats, step.stats, step.input, context_);
    }
  }

  void step(std::string& out) {
    auto rows = root_->next();
    if (!rows) {
      context_.note_error(rows.error());
      context_.stop(StopReason::error);
      end(out);
      return;
    }
    if (!rows->has_value()) {
      end(out);
      return;
    }
    write_rows(out, **rows);
    if (was_cut_) {
      end(out);
    } else if (plan_.request.progress && context_.now() - last_progress_ >= kProgressTime) {
      last_progress_ = context_.now();
      writer_->progress(out, scanned_share(), context_.matched);
    }
  }

  void write_rows(std::string& out, const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (plan_.limit && outcome_.returned >= *plan_.limit) {
        was_cut_ = true;
        return;
      }
      writer_->row(out, rows, i);
      ++outcome_.returned;
      if (!rows.records.empty()) last_position_ = rows.records[i].position();
    }
  }

  double scanned_share() const {
    if (scan_->is_exhausted()) return 1;
    const TimeRange& range = plan_.range;
    if (!input_->is_ordered() || range.first == kTimestampMin || range.last == kTimestampMax ||
        range.last <= range.first)
      return 0;
    const double width = static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
    const double from_start = static_cast<double>(scan_->bound().number()) - static_cast<double>(range.first.number());
    const double left = plan_.request.order == ScanOrder::newest_first ? from_start : width - from_start;
    return std::clamp(1 - left / width, 0.0, 1.0);
  }

  void end(std::string& out) {
    state_ = State::ended;
    outcome_.matched = context_.matched;
    outcome_.matched_exact = scan_->is_exhausted() && !context_.is_stopped() && !context_.error;
    outcome_.scanned_records = scan_->scanned_records();
    outcome_.scanned_bytes = scan_->scanned_bytes();
    outcome_.elapsed_ms = std::chrono::duration_cast<std::chrono::milliseconds>(context_.elapsed()).count();
    outcome_.error = context_.error;
    outcome_.approximate.assign(context_.approximate.begin(), context_.approximate.end());
    for (QueryWarning& warning : context_.warnings) outcome_.warnings.push_back(std::move(warning));
    add_field_warnings(plan_, *census_, outcome_.warnings);
    outcome_.reason = was_cut_                ? "limit"
                      : context_.is_stopped() ? reason_text(context_.stop_reason())
                      : context_.error        ? "error"
                                              : "end";
    outcome_.complete = outcome_.reason == "end";
    outcome_.covered = covered_range();
    if (!outcome_.complete) outcome_.next_cursor = next_cursor();
    writer_->end(out, outcome_);
    root_.reset();
  }

  TimeRange covered_range() const {
    TimeRange covered = plan_.range;
    if (outcome_.complete || outcome_.reason == "error") return covered;
    const bool newest_first = plan_.request.order == ScanOrder::newest_first;
    if (was_cut_ && !plan_.is_pageable) return covered;
    if (was_cut_ && last_position_) {
      (newest_first ? covered.first : covered.last) =
          newest_first ? last_position_->timestamp : last_position_->timestamp.next();
      return covered;
    }
    // Time or memory gone: what the scan has passed for good; of files, nothing is sure.
    const Timestamp bound = scan_->bound();
    if (newest_first) {
      covered.first = std::clamp(bound == kTimestampMax ? bound : bound.next(), covered.first, covered.last);
    } else {
      covered.last = std::clamp(bound, covered.first, covered.last);
    }
    return covered;
  }

  std::string next_cursor() const {
    if (!plan_.is_pageable || !input_->is_ordered() || !last_position_) return {};
    QueryCursor cursor;
    cursor.query_hash = plan_.query_hash;
    cursor.now = plan_.request.now;
    cursor.range = plan_.range;
    cursor.position = *last_position_;
    for (const RowCounter* counter : counters_) {
      if (counter == nullptr) return {};
      cursor.counts.push_back(counter->count_until(*last_position_, plan_.request.order));
    }
    return to_cursor_text(cursor);
  }

  const PreparedQuery query_;
  const QueryPlan& plan_;
  const std::shared_ptr<QueryInput> input_;
  const QueryRunOptions options_;
  const Clock& clock_;
  QueryContext context_;
  const std::shared_ptr<FieldCensus> census_;
  std::unique_ptr<AnswerWriter> writer_;
  State state_ = State::fresh;
  OperatorPtr root_;
  ScanOperator* scan_ = nullptr;             // inside root_
  std::vector<const RowCounter*> counters_;  // inside root_
  std::optional<RecordPosition> last_position_;
  std::chrono::nanoseconds last_progress_{0};
  bool was_cut_ = false;
  QueryOutcome outcome_;
};

}  // namespace

std::unique_ptr<QueryRun> start_query(PreparedQuery query, std::shared_ptr<QueryInput> input, QueryRunOptions options,
                                      const Clock& clock) {
  return std::make_unique<PlanRun>(std::move(query), std::move(input), std::move(options), clock);
}

}  // namespace dendro
