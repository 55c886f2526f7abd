#include <algorithm>

#include "query/output/answer_writer.h"
#include "query/pipes/row_pipeline.h"
#include "query/plan/field_warnings.h"
#include "query/run/subquery_run.h"

namespace dendro {
namespace {

/// A piece goes out at this size, or once rows have waited this long (ui.md 11.2), whichever comes first.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kPieceTime{50};
constexpr std::chrono::milliseconds kProgressTime{250};
constexpr std::size_t kRowsBetweenLooks = 256;

std::string reason_text(StopReason reason) {
  switch (reason) {
    case StopReason::timeout:
      return "timeout";
    case StopReason::memory:
      return "memory";
    case StopReason::cancelled:
      return "cancelled";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::error:
      return "error";
    case StopReason::none:
      break;
  }
  return "end";
}

/// States: fresh -> gathering -> running -> ended. `fresh` writes the head; `gathering` runs the queries inside the
/// query; `running` pulls; `ended` has written the status. A query without others inside opens its input while `fresh`,
/// so that what fails there is an error and no answer.
class PlanRun final : public QueryRun {
 public:
  PlanRun(PreparedQuery query, std::shared_ptr<QueryInput> input, QueryRunOptions options, const Clock& clock,
          std::unique_ptr<AnswerWriter> writer)
      : query_(std::move(query)),
        plan_(query_.plan()),
        input_(std::move(input)),
        options_(std::move(options)),
        clock_(clock),
        context_(options_, clock, plan_.request.timeout),
        census_(std::make_shared<FieldCensus>()),
        subqueries_(query_.shared_plan(), {*input_, context_, clock_, options_.cancel, census_, tables_}, tables_),
        writer_(writer != nullptr ? std::move(writer) : make_answer_writer(plan_, options_)) {
    outcome_.warnings = plan_.warnings;
    if (plan_.request.explain == ExplainMode::analyze) context_.profile = std::make_shared<QueryProfile>();
  }

  Result<std::optional<std::string>> next_piece() override {
    if (state_ == State::ended) return std::optional<std::string>();
    std::string out;
    const auto began = context_.now();
    if (state_ == State::fresh) {
      last_progress_ = last_preview_ = context_.now();
      state_ = State::gathering;
      if (plan_.request.explain == ExplainMode::plan) {
        end(out);
        return std::optional<std::string>(std::move(out));
      }
      if (plan_.subplans.empty()) DENDRO_TRY(open());
      writer_->begin(out);
    }
    while (state_ != State::ended) {
      if (state_ == State::gathering) {
        gather(out);
      } else {
        step(out);
      }
      if (out.size() >= kPieceBytes || (!out.empty() && context_.now() - began >= kPieceTime)) break;
    }
    if (out.empty()) return std::optional<std::string>();
    return std::optional<std::string>(std::move(out));
  }

  bool is_finished() const override { return state_ == State::ended; }
  const QueryOutcome& outcome() const override { return outcome_; }

 private:
  enum class State : std::uint8_t { fresh, gathering, running, ended };

  Status open() {
    const RunParts parts{*input_, context_, clock_, options_.cancel, census_, tables_};
    DENDRO_TRY_ASSIGN(pipeline_, RowPipeline::open(subqueries_.plan(), parts));
    state_ = State::running;
    return {};
  }

  /// Some work of the queries inside the query; then the query itself.
  void gather(std::string& out) {
    if (context_.is_cancelled()) {
      end(out);
      return;
    }
    Result<bool> is_done = subqueries_.step();
    if (is_done && !*is_done && !context_.is_stopped()) {
      write_progress(out);
      return;
    }
    if (is_done && !context_.is_stopped()) {
      const Status opened = open();
      if (opened) return;
      is_done = opened.error();
    }
    if (!is_done) {
      context_.note_error(is_done.error());
      context_.stop(StopReason::error);
    }
    end(out);
  }

  void write_progress(std::string& out) {
    if (!plan_.request.progress || context_.now() - last_progress_ < kProgressTime) return;
    last_progress_ = context_.now();
    writer_->progress(out, scanned_share(), context_.matched);
  }

  void step(std::string& out) {
    // Nobody waits for rows any more, whatever is known so far.
    if (context_.is_cancelled()) {
      end(out);
      return;
    }
    auto rows = pipeline_->next();
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
    give_preview();
    if (was_cut_) {
      end(out);
    } else {
      write_progress(out);
    }
  }

  /// Until the table itself comes out.
  void give_preview() {
    if (!options_.on_preview || !plan_.output.is_table || outcome_.returned > 0 ||
        context_.now() - last_preview_ < kPreviewTime)
      return;
    if (pipeline_->scan().is_exhausted()) return;  // the answer itself comes next
    QueryPreview preview;
    preview.matched = context_.matched;
    preview.scanned_records = subqueries_.scanned_records() + pipeline_->scan().scanned_records();
    if (const std::optional<RowBatch> rows = pipeline_->rows_now()) {
      QueryRunOptions options = options_;
      options.envelope = false;
      const std::unique_ptr<AnswerWriter> writer = make_answer_writer(plan_, options);
      std::string& text = preview.rows.emplace();
      writer->begin(text);
      for (std::size_t i = 0; i < rows->size() && (!plan_.limit || i < *plan_.limit); ++i) writer->row(text, *rows, i);
      writer->end(text, QueryOutcome());
    }
    options_.on_preview(preview);
    last_preview_ = context_.now();  // a dear one is not given more often for that
  }

  void write_rows(std::string& out, const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % kRowsBetweenLooks == 0 && context_.is_cancelled()) return;
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
    if (pipeline_ == nullptr) return 0;
    if (pipeline_->scan().is_exhausted()) return 1;
    const TimeRange range = plan_.scan_range();
    if (!input_->is_ordered() || range.first == kTimestampMin || range.last == kTimestampMax ||
        range.last <= range.first)
      return 0;
    const double width = static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
    const double from_start =
        static_cast<double>(pipeline_->scan().bound().number()) - static_cast<double>(range.first.number());
    const double left = plan_.request.order == ScanOrder::newest_first ? from_start : width - from_start;
    return std::clamp(1 - left / width, 0.0, 1.0);
  }

  void end(std::string& out) {
    state_ = State::ended;
    outcome_.matched = context_.matched;
    outcome_.scanned_records = subqueries_.scanned_records();
    outcome_.scanned_bytes = subqueries_.scanned_bytes();
    if (pipeline_ != nullptr) {
      const ScanOperator& scan = pipeline_->scan();
      outcome_.matched_exact = scan.is_exhausted() && !context_.is_stopped() && !context_.error;
      outcome_.scanned_records += scan.scanned_records();
      outcome_.scanned_bytes += scan.scanned_bytes();
    }
    outcome_.spilled_bytes = context_.spill.written_bytes();
    outcome_.elapsed_ms = std::chrono::duration_cast<std::chrono::milliseconds>(context_.elapsed()).count();
    outcome_.error = context_.error;
    outcome_.approximate.assign(context_.approximate.begin(), context_.approximate.end());
    for (QueryWarning& warning : context_.warnings) outcome_.warnings.push_back(std::move(warning));
    add_field_warnings(*subqueries_.plan(), *census_, outcome_.warnings);
    outcome_.reason = was_cut_                ? "limit"
                      : context_.is_stopped() ? reason_text(context_.stop_reason())
                      : context_.error        ? "error"
                                              : "end";
    outcome_.complete = outcome_.reason == "end";
    outcome_.covered = covered_range();
    if (!outcome_.complete) outcome_.next_cursor = next_cursor();
    if (context_.profile != nullptr) {
      context_.profile->source = input_->source_counts();
      outcome_.profile = context_.profile;
    }
    writer_->end(out, outcome_);
    pipeline_.reset();
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
    if (pipeline_ == nullptr) return {covered.first, covered.first};
    const Timestamp bound = pipeline_->scan().bound();
    if (newest_first) {
      covered.first = std::clamp(bound == kTimestampMax ? bound : bound.next(), covered.first, covered.last);
    } else {
      covered.last = std::clamp(bound, covered.first, covered.last);
    }
    return covered;
  }

  std::string next_cursor() const {
    if (!plan_.is_pageable || !input_->is_ordered() || !last_position_ || pipeline_ == nullptr) return {};
    QueryCursor cursor;
    cursor.query_hash = plan_.query_hash;
    cursor.now = plan_.request.now;
    cursor.range = plan_.range;
    cursor.position = *last_position_;
    for (const RowCounter* counter : pipeline_->counters()) {
      if (counter == nullptr) return {};
      cursor.counts.push_back(counter->count_until(*last_position_, plan_.request.order));
    }
    return to_cursor_text(cursor);
  }

  const PreparedQuery query_;
  const QueryPlan& plan_;  // as prepared; what runs knows the values of the queries inside it
  const std::shared_ptr<QueryInput> input_;
  const QueryRunOptions options_;
  const Clock& clock_;
  QueryContext context_;
  const std::shared_ptr<FieldCensus> census_;
  SubqueryTables tables_;
  SubqueryRun subqueries_;
  std::unique_ptr<AnswerWriter> writer_;
  State state_ = State::fresh;
  std::unique_ptr<RowPipeline> pipeline_;
  std::optional<RecordPosition> last_position_;
  std::chrono::nanoseconds last_progress_{0};
  std::chrono::nanoseconds last_preview_{0};
  bool was_cut_ = false;
  QueryOutcome outcome_;
};

}  // namespace

std::unique_ptr<QueryRun> start_query(PreparedQuery query, std::shared_ptr<QueryInput> input, QueryRunOptions options,
                                      const Clock& clock) {
  return std::make_unique<PlanRun>(std::move(query), std::move(input), std::move(options), clock, nullptr);
}

std::unique_ptr<QueryRun> start_query_into(PreparedQuery query, std::shared_ptr<QueryInput> input,
                                           QueryRunOptions options, const Clock& clock,
                                           std::unique_ptr<AnswerWriter> writer) {
  return std::make_unique<PlanRun>(std::move(query), std::move(input), std::move(options), clock, std::move(writer));
}

}  // namespace dendro
