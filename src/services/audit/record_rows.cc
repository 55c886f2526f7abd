#include "services/audit/record_rows.h"

#include <utility>

#include "base/log.h"
#include "filter/number.h"
#include "query/language/query_ast.h"
#include "query/plan/query_cursor.h"

namespace dendro {
namespace {

QueryRunOptions run_options_of(const RecordScope& scope) {
  QueryRunOptions options;
  options.cancel = scope.cancel;
  options.limits = scope.limits;
  return options;
}

/// The scope with pipes behind its filter, as a request. Its text is ours: what fails in it is the cursor's fault.
QueryRequest request_of(const RecordScope& scope, std::vector<Pipe> pipes, Timestamp now) {
  ParsedQuery query;
  query.filter = scope.filter;
  query.pipes = std::move(pipes);
  QueryRequest request;
  request.query = to_text(query);
  if (scope.range.first != kTimestampMin) request.start = to_rfc3339(scope.range.first);
  if (scope.range.last != kTimestampMax) request.end = to_rfc3339(scope.range.last);
  request.limit = 0;
  request.clip_bytes = 0;
  request.progress = false;
  request.timeout = scope.timeout;
  request.now = now;
  return request;
}

Error stopped_error(StopReason reason) {
  switch (reason) {
    case StopReason::timeout:
      return Error(ErrorCode::deadline_exceeded, "reading took too long: ask for a smaller range of time");
    case StopReason::memory:
      return Error(ErrorCode::resource_exhausted, "reading took too much memory: ask for a smaller range of time");
    default:
      return Error(ErrorCode::cancelled, "reading was cancelled");
  }
}

void log_damage(const Error& error) {
  log(LogLevel::error, "audit", "stored records left out", {{"error", error.message()}});
}

}  // namespace

RecordRows::RecordRows(const RecordScope& scope, std::shared_ptr<const QueryPlan> plan, const Clock& clock)
    : plan_(std::move(plan)),
      input_(make_snapshot_input(scope.snapshot)),
      context_(run_options_of(scope), clock, scope.timeout) {}
RecordRows::~RecordRows() = default;

Result<std::unique_ptr<RecordRows>> RecordRows::open(const RecordScope& scope, std::uint64_t rows_max,
                                                     const std::string& cursor, Timestamp now, const Clock& clock) {
  QueryRequest request = request_of(scope, {}, now);
  request.cursor = cursor;
  request.limit = rows_max;
  QueryFault fault;
  DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(request, fault));
  std::unique_ptr<RecordRows> rows(new RecordRows(scope, prepared.shared_plan(), clock));
  const RunParts parts{*rows->input_, rows->context_, clock, scope.cancel, std::make_shared<FieldCensus>(),
                       rows->tables_};
  DENDRO_TRY_ASSIGN(rows->pipeline_, RowPipeline::open(rows->plan_, parts));
  return rows;
}

Result<const RecordRow*> RecordRows::next() {
  while (next_ == batch_.records.size()) {
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, pipeline_->next());
    if (const auto stopped = why_stopped()) return *stopped;
    if (!rows) return nullptr;
    batch_ = std::move(*rows);
    next_ = 0;
  }
  return &batch_.records[next_++];
}

std::optional<Error> RecordRows::why_stopped() const {
  if (!context_.is_stopped()) return std::nullopt;
  if (context_.stop_reason() == StopReason::error && context_.error) return context_.error;
  return stopped_error(context_.stop_reason());
}

std::string RecordRows::cursor_behind(RecordPosition position) const {
  QueryCursor cursor;
  cursor.query_hash = plan_->query_hash;
  cursor.now = plan_->request.now;
  cursor.range = plan_->range;
  cursor.position = position;
  return to_cursor_text(cursor);
}

bool RecordRows::left_out_damage() const {
  if (context_.error) log_damage(*context_.error);
  return context_.error.has_value();
}

Result<RecordCounts> count_records(const RecordScope& scope, std::vector<GroupKey> groups, Timestamp now,
                                   const Clock& clock) {
  StatsPipe stats;
  stats.groups = std::move(groups);
  Aggregate count;
  count.function = "count";
  count.column = "n";
  stats.aggregates.push_back(std::move(count));
  QueryFault fault;
  DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(request_of(scope, {std::move(stats)}, now), fault));
  DENDRO_TRY_ASSIGN(QueryTable table,
                    run_to_table(prepared, make_snapshot_input(scope.snapshot), run_options_of(scope), clock));
  const QueryOutcome& outcome = table.outcome;
  if (outcome.reason == "timeout") return stopped_error(StopReason::timeout);
  if (outcome.reason == "cancelled") return stopped_error(StopReason::cancelled);
  if (outcome.reason == "memory") return stopped_error(StopReason::memory);
  RecordCounts counts;
  counts.left_out_damage = outcome.error.has_value();
  if (outcome.error) {
    if (outcome.error->code() != ErrorCode::corruption) return *outcome.error;
    log_damage(*outcome.error);
  }
  counts.rows = std::move(table.rows);
  return counts;
}

std::uint64_t count_of_row(const std::vector<Cell>& row) {
  const auto number = number_of_value(row.back().value());
  return number && number->is_int64() ? static_cast<std::uint64_t>(number->int64()) : 0;
}

}  // namespace dendro
