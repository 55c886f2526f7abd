#include "query/query_plan.h"

#include <algorithm>

#include "base/checksum.h"
#include "query/language_words.h"
#include "query/query_parser.h"
#include "record/record_id.h"

namespace dendro {
namespace {

Error request_fault(QueryFault& fault, std::string message, ErrorCode code = ErrorCode::invalid_argument) {
  fault = QueryFault();
  fault.code = code;
  fault.message = std::move(message);
  return Error(code, fault.message);
}

TimeRange intersection(const TimeRange& a, const TimeRange& b) {
  return {std::max(a.first, b.first), std::min(a.last, b.last)};
}

/// True if the scan's filter cannot decide it: sequence and receive time are known behind the scan only.
bool needs_origin(const Predicate& predicate) {
  bool found = false;
  for_each_field(predicate,
                 [&found](std::string_view field) { found = found || field == "_id" || field == "_observed"; });
  return found;
}

/// The id that `_id:x` or `_id:=x` asks for.
std::optional<RecordPosition> wanted_position(const Predicate& predicate) {
  const auto* test = std::get_if<FieldTest>(&predicate.node);
  if (test == nullptr || test->field != "_id") return std::nullopt;
  if (const auto* equals = std::get_if<Equals>(&test->condition)) return parse_record_id(equals->literal.text());
  const auto* pattern = std::get_if<TextPattern>(&test->condition);
  const bool is_whole = pattern != nullptr && !pattern->open_start && !pattern->open_end && !pattern->folds;
  return is_whole ? parse_record_id(pattern->text) : std::nullopt;
}

std::uint64_t hash_of_request(const QueryRequest& request) {
  std::string text = request.query;
  for (const std::string* part : {&request.tz, &request.default_field}) {
    text.push_back('\0');
    text += *part;
  }
  text.push_back(request.order == ScanOrder::newest_first ? 'd' : 'a');
  return xxh3(text, HashSeed(1));
}

/// Fills a plan step by step; each method is one stage.
class Planner {
 public:
  Planner(const QueryRequest& request, QueryFault& fault) : fault_(fault), plan_(std::make_shared<QueryPlan>()) {
    plan_->request = request;
  }

  Result<std::shared_ptr<const QueryPlan>> plan() {
    DENDRO_TRY(read_request());
    auto parsed = parse_query(plan_->request.query, {time_, plan_->request.default_field}, fault_);
    if (!parsed) return parsed.error();
    plan_->parsed = std::move(*parsed);
    warn_of_regexes();
    DENDRO_TRY(split_filter());
    add_steps();
    DENDRO_TRY(add_request_fields());
    decide_order();
    reduce_scan();
    return std::shared_ptr<const QueryPlan>(std::move(plan_));
  }

 private:
  Status read_request() {
    QueryRequest& request = plan_->request;
    plan_->query_hash = hash_of_request(request);
    const auto offset = parse_utc_offset(request.tz);
    if (!offset) {
      if (request.tz.find_first_of("+-0123456789") == 0)
        return request_fault(fault_, "tz: \"" + request.tz + "\" is not an offset like +01:00");
      return request_fault(fault_,
                           "tz: named zones (\"" + request.tz + "\") are not built yet; give an offset like +01:00",
                           ErrorCode::unimplemented);
    }
    if (!request.cursor.empty()) {
      plan_->cursor = parse_cursor_text(request.cursor);
      if (!plan_->cursor) return request_fault(fault_, "cursor: not a cursor of this server");
      if (plan_->cursor->query_hash != plan_->query_hash)
        return request_fault(fault_, "cursor: it belongs to another query");
      request.now = plan_->cursor->now;
    }
    time_ = {request.now, *offset};
    DENDRO_TRY(read_bound("start", request.start, plan_->range.first));
    DENDRO_TRY(read_bound("end", request.end, plan_->range.last));
    if (plan_->cursor) plan_->range = intersection(plan_->range, plan_->cursor->range);
    return {};
  }

  Status read_bound(const char* name, const std::string& text, Timestamp& bound) {
    if (text.empty()) return {};
    const auto instant = parse_instant(text, time_);
    if (!instant) return request_fault(fault_, std::string(name) + ": \"" + text + "\" is not a time");
    bound = instant->first;
    return {};
  }

  /// Parts of the filter go to the range, to the scan, or behind it.
  Status split_filter() {
    std::vector<Predicate> parts = {plan_->parsed.filter};
    const std::vector<Pipe>& pipes = plan_->parsed.pipes;
    for (; first_pipe_ < pipes.size(); ++first_pipe_) {
      const auto* where = std::get_if<WherePipe>(&pipes[first_pipe_]);
      if (where == nullptr) break;
      parts.push_back(where->filter);
    }
    Predicate whole = all_of(std::move(parts));
    plan_->excludes_dead_letters = !names_source(whole);
    std::vector<Predicate> scan, late;
    std::vector<Predicate> top;
    if (auto* all = std::get_if<AllOf>(&whole.node)) {
      top = std::move(all->parts);
    } else {
      top.push_back(std::move(whole));
    }
    for (Predicate& part : top) {
      const auto* time = std::get_if<TimeTest>(&part.node);
      if (time != nullptr && time->field == "_time") {
        plan_->range = intersection(plan_->range, time->range);
      } else if (needs_origin(part)) {
        if (const auto position = wanted_position(part)) {
          plan_->range = intersection(plan_->range, {position->timestamp, position->timestamp.next()});
        }
        late.push_back(std::move(part));
      } else {
        scan.push_back(std::move(part));
      }
    }
    plan_->is_empty_range = plan_->range.last <= plan_->range.first;
    plan_->scan_filter = compile_filter(all_of(std::move(scan)), {plan_->excludes_dead_letters});
    if (!late.empty()) plan_->late_filter = compile_filter(all_of(std::move(late)));
    return {};
  }

  void add_steps() {
    const std::vector<Pipe>& pipes = plan_->parsed.pipes;
    for (pipe_index_ = first_pipe_; pipe_index_ < pipes.size(); ++pipe_index_) {
      warn_of_dropped_fields();
      std::visit([this](const auto& pipe) { add(pipe); }, pipes[pipe_index_]);
    }
    plan_->output = shape_;
    plan_->limit = plan_->request.limit;
    if (!plan_->limit && !shape_.is_table) plan_->limit = 1000;
    if (plan_->limit == std::uint64_t{0}) plan_->limit.reset();
  }

  QueryStep& push_step(Pipe pipe) {
    QueryStep& step = plan_->steps.emplace_back();
    step.pipe = std::move(pipe);
    step.input = shape_;
    return step;
  }
  void add(const WherePipe& pipe) { push_step(pipe).filter = compile_filter(pipe.filter); }
  void add(const LimitPipe& pipe) { push_step(pipe); }
  void add(const OffsetPipe& pipe) { push_step(pipe); }
  void add(const FieldsPipe& pipe) {
    if (!shape_.is_table) {
      push_step(pipe);
      shape_.projections.push_back(pipe);
      return;
    }
    QueryStep& step = push_step(pipe);
    std::vector<std::string> kept;
    const auto keep = [&](std::size_t column) {
      if (std::find(kept.begin(), kept.end(), shape_.columns[column]) != kept.end()) return;
      kept.push_back(shape_.columns[column]);
      step.columns.push_back(column);
    };
    if (pipe.drops) {
      for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
        const bool is_dropped = std::any_of(pipe.names.begin(), pipe.names.end(), [&](const NamePattern& name) {
          return name.matches(shape_.columns[column]);
        });
        if (!is_dropped) keep(column);
      }
    } else {
      for (const NamePattern& name : pipe.names) {
        for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
          if (name.matches(shape_.columns[column])) keep(column);
        }
      }
    }
    shape_.columns = std::move(kept);
  }
  void add(const SortPipe& pipe) {
    QueryStep& step = push_step(pipe);
    step.sort.order = plan_->request.order;
    step.sort.ties_by_position = !shape_.is_table && !is_reordered_;
    is_reordered_ = true;
  }
  void add(const StatsPipe& pipe) { add_stats(pipe, false); }
  void add(const UniqPipe& pipe) {
    StatsPipe stats;
    for (const std::string& name : pipe.names) stats.groups.push_back({name, {}, name});
    if (pipe.with_hits) stats.aggregates.push_back(hits());
    add_stats(stats, false);
  }
  /// Rows without the field are left out; `hits` first, then value.
  void add(const TopPipe& pipe) {
    StatsPipe stats;
    SortPipe sort;
    sort.keys.push_back({"hits", !pipe.rarest});
    sort.limit = pipe.count;
    for (const std::string& name : pipe.names) {
      stats.groups.push_back({name, {}, name});
      sort.keys.push_back({name, false});
    }
    stats.aggregates.push_back(hits());
    add_stats(stats, true);
    add(sort);
  }
  static Aggregate hits() {
    Aggregate aggregate;
    aggregate.function = "count";
    aggregate.column = "hits";
    return aggregate;
  }
  void add_stats(const StatsPipe& pipe, bool leaves_out_missing) {
    QueryStep& step = push_step(pipe);
    step.stats = {leaves_out_missing, time_.utc_offset_s, plan_->range};
    shape_ = RowShape();
    shape_.is_table = true;
    for (const GroupKey& key : pipe.groups) shape_.columns.push_back(key.column);
    for (const Aggregate& aggregate : pipe.aggregates) shape_.columns.push_back(aggregate.column);
    is_reordered_ = true;
  }

  /// The request's `fields` are a last `fields` pipe.
  Status add_request_fields() {
    if (plan_->request.fields.empty()) return {};
    FieldsPipe pipe;
    for (const std::string& name : plan_->request.fields) {
      if (name.empty()) return request_fault(fault_, "fields: a name is empty");
      const bool is_prefix = name.back() == '*';
      pipe.names.push_back({is_prefix ? name.substr(0, name.size() - 1) : name, is_prefix});
    }
    add(pipe);
    plan_->output = shape_;
    return {};
  }

  /// Without a literal of three characters every record of the range must be read (query-language.md 5).
  void warn_of_regexes() {
    for (const QueryPart& part : plan_->parsed.unindexed_regexes) {
      plan_->warnings.push_back({"regex_unindexed",
                                 "this expression has no three characters in a row that every match holds; each record "
                                 "of the time range is read",
                                 part.offset, part.size});
    }
  }

  void warn_of_dropped_fields() {
    for (const FieldUse& use : plan_->parsed.uses) {
      if (use.pipe != pipe_index_ + 1 || std::holds_alternative<FieldsPipe>(plan_->parsed.pipes[pipe_index_])) continue;
      if (shape_.is_visible(use.name)) continue;
      plan_->warnings.push_back({"dropped_field",
                                 "\"" + use.name + "\" is not among the fields that the pipes before left", use.offset,
                                 use.size});
    }
  }

  /// How many ordered records the steps can use, and whether they must be ordered at all.
  void decide_order() {
    const auto& steps = plan_->steps;
    plan_->is_pageable = !shape_.is_table;
    plan_->needs_order = true;
    for (const QueryStep& step : steps) {
      const bool takes_any_order =
          std::holds_alternative<SortPipe>(step.pipe) || std::holds_alternative<StatsPipe>(step.pipe);
      const bool counts_rows =
          std::holds_alternative<LimitPipe>(step.pipe) || std::holds_alternative<OffsetPipe>(step.pipe);
      if (std::holds_alternative<SortPipe>(step.pipe)) plan_->is_pageable = false;
      if (counts_rows) break;
      if (takes_any_order) {
        plan_->needs_order = false;
        break;
      }
    }
    for (const QueryStep& step : steps) {
      if (std::holds_alternative<SortPipe>(step.pipe)) plan_->is_pageable = false;
    }
    // One row more than the limit tells whether there is a next page.
    std::uint64_t needed = plan_->limit ? *plan_->limit + 1 : 0;
    if (plan_->output.is_table) needed = 0;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
      if (const auto* limit = std::get_if<LimitPipe>(&step->pipe)) {
        needed = needed == 0 ? std::max<std::uint64_t>(limit->count, 1)
                             : std::min(needed, std::max<std::uint64_t>(limit->count, 1));
      } else if (const auto* offset = std::get_if<OffsetPipe>(&step->pipe)) {
        needed = needed == 0 || needed + offset->count < needed ? 0 : needed + offset->count;
      } else if (!std::holds_alternative<FieldsPipe>(step->pipe)) {
        needed = 0;
      }
    }
    plan_->rows_needed = needed;
  }

  /// Statistics over few fields need no whole records (storage/snapshot.h, Reduction).
  void reduce_scan() {
    if (plan_->steps.empty() || plan_->late_filter != nullptr || plan_->cursor) return;
    const auto* stats = std::get_if<StatsPipe>(&plan_->steps.front().pipe);
    if (stats == nullptr) return;
    Reduction reduction;
    for (const GroupKey& key : stats->groups) {
      if (!is_time_name(key.name)) {
        reduction.fields.push_back(key.name);
      } else if (reduction.time_step_ns != 0 || !fixes_time_step(key.bucket, reduction.time_step_ns)) {
        return;
      }
    }
    for (const Aggregate& aggregate : stats->aggregates) {
      const bool is_foldable = aggregate.kind != StatKind::first && aggregate.kind != StatKind::last &&
                               aggregate.kind != StatKind::values && aggregate.kind != StatKind::uniq_values;
      if (!is_foldable || aggregate.condition) return;
      for (const std::string& field : aggregate.fields) {
        if (is_time_name(field)) return;
        reduction.fields.push_back(field);
      }
    }
    plan_->reduction = std::move(reduction);
  }

  /// A step that divides the bucket, wherever its bounds lie: days and longer ones begin at local midnight.
  bool fixes_time_step(const Bucket& bucket, std::int64_t& step_ns) const {
    if (bucket.kind == BucketKind::duration && bucket.width_ns < kNanosPerDay) {
      step_ns = bucket.width_ns;
      return true;
    }
    constexpr std::int64_t kQuarterHourSeconds = 900;
    const bool is_calendar = bucket.kind == BucketKind::week || bucket.kind == BucketKind::month ||
                             bucket.kind == BucketKind::year ||
                             (bucket.kind == BucketKind::duration && bucket.width_ns % kNanosPerDay == 0);
    if (!is_calendar || time_.utc_offset_s % kQuarterHourSeconds != 0) return false;
    step_ns = kQuarterHourSeconds * kNanosPerSecond;
    return true;
  }

  QueryFault& fault_;
  std::shared_ptr<QueryPlan> plan_;
  TimeReading time_;
  RowShape shape_;
  std::size_t first_pipe_ = 0;
  std::size_t pipe_index_ = 0;
  bool is_reordered_ = false;
};

}  // namespace

Result<std::shared_ptr<const QueryPlan>> make_plan(const QueryRequest& request, QueryFault& fault) {
  return Planner(request, fault).plan();
}

Result<PreparedQuery> prepare_query(const QueryRequest& request, QueryFault& fault) {
  DENDRO_TRY_ASSIGN(std::shared_ptr<const QueryPlan> plan, make_plan(request, fault));
  return PreparedQuery(std::move(plan));
}

std::string PreparedQuery::canonical_text() const {
  return to_text(plan_->parsed);
}
bool PreparedQuery::is_table() const {
  return plan_->output.is_table;
}

}  // namespace dendro
