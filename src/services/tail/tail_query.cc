#include "services/tail/tail_query.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "record/record_batch_builder.h"
#include "services/tail/limits.h"

namespace dendro {
namespace {

Error refuse_tail(QueryFault& fault, const std::string& query, std::string message) {
  fault = fault_at(query, 0, 0, std::move(message));
  return fault.to_error();
}

/// True of pipes whose rows are known as soon as their record is. Others wait for the last record, which never comes.
bool is_followable(const Pipe& pipe) {
  return std::holds_alternative<WherePipe>(pipe) || std::holds_alternative<FieldsPipe>(pipe) ||
         std::holds_alternative<LimitPipe>(pipe) || std::holds_alternative<OffsetPipe>(pipe) ||
         std::holds_alternative<RenamePipe>(pipe) || std::holds_alternative<EvalPipe>(pipe) ||
         std::holds_alternative<ExtractPipe>(pipe) || std::holds_alternative<ExtractRegexPipe>(pipe) ||
         std::holds_alternative<UnpackPipe>(pipe) || std::holds_alternative<FormatPipe>(pipe) ||
         std::holds_alternative<ReplacePipe>(pipe) || std::holds_alternative<UnrollPipe>(pipe) ||
         std::holds_alternative<TextPipe>(pipe) || std::holds_alternative<PackPipe>(pipe) ||
         std::holds_alternative<DedupPipe>(pipe) || std::holds_alternative<SamplePipe>(pipe) ||
         std::holds_alternative<LookupPipe>(pipe) || std::holds_alternative<GeoipPipe>(pipe);
}

/// Why the plan's rows cannot be told while records still arrive; empty: they can.
std::string why_not_followed(const QueryPlan& plan, Timestamp now) {
  if (!plan.subplans.empty())
    return "a query inside the query cannot be followed live: it would have to run again for each record";
  if (plan.is_empty_range || plan.range.last <= now) {
    return "the range of time is over, and a tail shows what arrives from now on: leave _time out, or ask "
           "/api/v1/query";
  }
  const auto is_block_stats = [](const QueryStep& step) { return std::holds_alternative<BlockStatsPipe>(step.pipe); };
  if (std::any_of(plan.steps.begin(), plan.steps.end(), is_block_stats))
    return "block_stats looks at what lies on the disk, which a tail does not see";
  if (plan.output.is_table) return {};
  for (const QueryStep& step : plan.steps) {
    if (is_followable(step.pipe)) continue;
    return "the pipe \"" + to_text(step.pipe) +
           "\" cannot be followed live: its rows depend on records that are still to come";
  }
  return {};
}

bool reads_tables(const QueryPlan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [](const QueryStep& step) { return std::holds_alternative<LookupPipe>(step.pipe); });
}

/// What `$name` stands for may be another filter by the time the next tail begins.
bool may_name_filters(const QueryPlan& plan) {
  return plan.request.query.find('$') != std::string::npos;
}

/// The same plan for rows in the order they arrive: no total order, no pages, no end.
std::shared_ptr<const QueryPlan> plan_of_arrival(const QueryPlan& plan) {
  auto arrival = std::make_shared<QueryPlan>(plan);
  arrival->needs_order = false;
  arrival->rows_needed = 0;
  arrival->reduction.reset();
  arrival->limit.reset();
  arrival->is_pageable = false;
  return arrival;
}

}  // namespace

TailQuery::TailQuery(std::shared_ptr<const QueryPlan> plan, std::shared_ptr<const RecordRestriction> restriction)
    : plan_(std::move(plan)),
      restriction_(std::move(restriction)),
      is_shareable_(plan_->range == TimeRange() && !reads_tables(*plan_) && !may_name_filters(*plan_)) {}

std::shared_ptr<const Snapshot> TailQuery::seen(std::shared_ptr<const Snapshot> base) const {
  return restriction_ == nullptr ? base : restrict_snapshot(std::move(base), *restriction_);
}

Result<std::shared_ptr<const TailQuery>> TailQuery::prepare(const TailRequest& request, const TailNames& names,
                                                            QueryFault& fault) {
  QueryRequest asked;
  asked.query = request.query;
  asked.fields = request.fields;
  asked.clip_bytes = request.clip_bytes;
  asked.order = ScanOrder::oldest_first;
  asked.progress = false;
  asked.now = request.now;
  asked.lookup_tables = names.lookup_tables;
  asked.geo_database = names.geo_database;
  asked.saved_filters = names.saved_filters;
  DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(asked, fault));
  const QueryPlan& plan = prepared.plan();
  if (std::string why = why_not_followed(plan, request.now); !why.empty()) {
    return refuse_tail(fault, request.query, std::move(why));
  }
  auto query = plan.output.is_table ? prepared.shared_plan() : plan_of_arrival(plan);
  return std::shared_ptr<const TailQuery>(new TailQuery(std::move(query), request.restriction));
}

std::optional<RecordBlock> TailQuery::select(const std::shared_ptr<const RecordBatch>& batch,
                                             SequenceNumber first_sequence) const {
  RecordBlock block;
  block.batch = batch;
  block.first_sequence = first_sequence;
  const TimeRange& range = plan_->range;
  for (std::uint32_t row = 0; row < batch->size(); ++row) {
    if (range.contains(batch->timestamp(row))) block.rows.push_back(row);
  }
  if (restriction_ != nullptr && !restrict_block(*restriction_, block)) return std::nullopt;
  if (!block.rows.empty()) plan_->scan_filter->select(*block.batch, block.rows);
  if (block.rows.empty()) return std::nullopt;
  return block;
}

RecordBlock copy_out(const RecordBlock& block) {
  RecordBatchBuilder builder(block.batch->receive_time());
  auto sequences = std::make_shared<std::vector<SequenceNumber>>();
  sequences->reserve(block.rows.size());
  for (const std::uint32_t row : block.rows) {
    builder.append_copy(block.record(row));
    sequences->push_back(block.sequence(row));
  }
  RecordBlock copy;
  copy.batch = builder.finish();
  copy.sequences = std::move(sequences);
  copy.rows.resize(block.rows.size());
  std::iota(copy.rows.begin(), copy.rows.end(), 0U);
  return copy;
}

std::string tail_query_key(const TailRequest& request) {
  std::string key = request.query;
  for (const std::string& field : request.fields) key.append(1, '\0').append(field);
  key.append(1, '\0').append(std::to_string(request.clip_bytes));
  return request.restriction == nullptr ? key : key.append(1, '\0').append(request.restriction->key);
}

}  // namespace dendro
