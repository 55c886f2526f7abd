#include "query/plan/query_plan.h"

#include <algorithm>

#include "base/checksum.h"
#include "query/language/query_parser.h"
#include "query/plan/plan_steps.h"
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

  Result<std::shared_ptr<const QueryPlan>> plan(const SubqueryValues* values) {
    DENDRO_TRY(read_request());
    ParseOptions options;
    options.time = time_;
    options.default_field = plan_->request.default_field;
    options.saved_filters = plan_->request.saved_filters.get();
    options.subquery_values = values;
    auto parsed = parse_query(plan_->request.query, options, fault_);
    if (!parsed) return parsed.error();
    plan_->parsed = std::move(*parsed);
    warn_of_regexes();
    DENDRO_TRY(split_filter());
    return finish();
  }

  /// Of a query inside `outer`: the same records and times, unless it names times itself.
  Result<std::shared_ptr<const QueryPlan>> plan_inside(const ParsedQuery& parsed, const QueryPlan& outer,
                                                       const TimeReading& time) {
    time_ = time;
    plan_->request.limit = 0;
    plan_->request.cursor.clear();
    plan_->request.fields.clear();
    plan_->zone = outer.zone;
    plan_->parsed = parsed;
    bool has_own_times = false;
    for_each_field(parsed.filter,
                   [&has_own_times](std::string_view field) { has_own_times = has_own_times || field == "_time"; });
    if (!has_own_times) plan_->range = outer.range;
    DENDRO_TRY(split_filter());
    return finish();
  }

 private:
  Result<std::shared_ptr<const QueryPlan>> finish() {
    DENDRO_TRY(plan_subqueries());
    DENDRO_TRY(add_steps(*plan_, first_pipe_, fault_));
    scan_windows_only();
    assign_needs(*plan_);
    decide_order();
    reduce_scan();
    return std::shared_ptr<const QueryPlan>(std::move(plan_));
  }

  Status plan_subqueries() {
    for (const Subquery& sub : plan_->parsed.subqueries) {
      Planner inner(plan_->request, fault_);
      DENDRO_TRY_ASSIGN(auto planned, inner.plan_inside(*sub.query, *plan_, time_));
      if (sub.use == Subquery::Use::values && !only_column(*planned)) {
        return request_fault(fault_, "a query inside in( ) must leave one column, \"" + sub.text +
                                         "\" does not; end it with | fields name");
      }
      plan_->subplans.push_back({std::move(planned), sub.use, sub.text});
    }
    return {};
  }

  Status read_request() {
    QueryRequest& request = plan_->request;
    plan_->query_hash = hash_of_request(request);
    auto zone = TimeZone::find(request.tz);
    if (!zone) {
      if (request.tz.find_first_of("+-0123456789") == 0)
        return request_fault(fault_, "tz: \"" + request.tz + "\" is not an offset like +01:00");
      return request_fault(fault_, "tz: " + zone.error().message() + "; write Europe/Berlin or +01:00",
                           zone.error().code());
    }
    plan_->zone = std::move(*zone);
    if (!request.cursor.empty()) {
      plan_->cursor = parse_cursor_text(request.cursor);
      if (!plan_->cursor) return request_fault(fault_, "cursor: not a cursor of this server");
      if (plan_->cursor->query_hash != plan_->query_hash)
        return request_fault(fault_, "cursor: it belongs to another query");
      request.now = plan_->cursor->now;
    }
    time_ = {request.now, plan_->zone->offset_at(request.now), plan_->zone->is_fixed() ? nullptr : plan_->zone};
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
    const bool has_context = first_pipe_ < pipes.size() && std::holds_alternative<ContextPipe>(pipes[first_pipe_]);
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
        const auto position = wanted_position(part);
        if (position && !has_context) {
          plan_->range = intersection(plan_->range, {position->timestamp, position->timestamp.next()});
        }
        late.push_back(std::move(part));
      } else {
        scan.push_back(std::move(part));
      }
    }
    plan_->is_empty_range = plan_->range.last <= plan_->range.first;
    if (has_context) {
      plan_->context_filter = compile_filter(all_of(std::move(scan)));
      scan.clear();
    }
    scan_part_ = all_of(std::move(scan));
    plan_->scan_filter = compile_filter(scan_part_, {plan_->excludes_dead_letters});
    if (!late.empty()) plan_->late_filter = compile_filter(all_of(std::move(late)));
    return {};
  }

  /// `compare` widens the range over weeks: what lies between its windows need not be read.
  void scan_windows_only() {
    for (const QueryStep& step : plan_->steps) {
      if (!std::holds_alternative<ComparePipe>(step.pipe)) continue;
      std::vector<Predicate> windows = {Predicate{TimeTest{"_time", step.compare.window}},
                                        Predicate{TimeTest{"_time", step.compare.before}}};
      for (const TimeRange& week : step.compare.weeks) windows.push_back(Predicate{TimeTest{"_time", week}});
      scan_part_ = all_of({any_of(std::move(windows)), std::move(scan_part_)});
      plan_->scan_filter = compile_filter(scan_part_, {plan_->excludes_dead_letters});
      return;
    }
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

  static bool makes_table(const Pipe& pipe) {
    return std::holds_alternative<StatsPipe>(pipe) || std::holds_alternative<FieldNamesPipe>(pipe) ||
           std::holds_alternative<FacetsPipe>(pipe) || std::holds_alternative<PatternPipe>(pipe) ||
           std::holds_alternative<ComparePipe>(pipe) || std::holds_alternative<HistogramPipe>(pipe);
  }

  /// True if what becomes of a row depends on those before it, or behind it.
  static bool looks_at_neighbours(const Pipe& pipe) {
    return std::holds_alternative<ContextPipe>(pipe) || std::holds_alternative<TransactionPipe>(pipe) ||
           std::holds_alternative<WithStatsPipe>(pipe) || std::holds_alternative<DeltaPipe>(pipe);
  }
  /// True if a row in is a row out, made of this row and those before it.
  static bool looks_back_only(const Pipe& pipe) {
    const auto* stats = std::get_if<WithStatsPipe>(&pipe);
    return std::holds_alternative<DeltaPipe>(pipe) || (stats != nullptr && stats->is_running);
  }

  /// How many ordered records the steps can use, and whether they must be ordered at all.
  void decide_order() {
    const auto& steps = plan_->steps;
    plan_->is_pageable = !plan_->output.is_table;
    plan_->needs_order = true;
    for (const QueryStep& step : steps) {
      const bool takes_any_order = std::holds_alternative<SortPipe>(step.pipe) || makes_table(step.pipe);
      const bool counts_rows =
          std::holds_alternative<LimitPipe>(step.pipe) || std::holds_alternative<OffsetPipe>(step.pipe) ||
          std::holds_alternative<DedupPipe>(step.pipe) || std::holds_alternative<TailPipe>(step.pipe) ||
          std::holds_alternative<UnionPipe>(step.pipe) || looks_at_neighbours(step.pipe);
      if (std::holds_alternative<SortPipe>(step.pipe)) plan_->is_pageable = false;
      if (counts_rows) break;
      if (takes_any_order) {
        plan_->needs_order = false;
        break;
      }
    }
    for (const QueryStep& step : steps) {
      // A place in the order tells no two rows apart that unroll made of one record, and a page that begins there
      // does not know what went before.
      const bool loses_places =
          std::holds_alternative<SortPipe>(step.pipe) || std::holds_alternative<UnrollPipe>(step.pipe) ||
          std::holds_alternative<JoinPipe>(step.pipe) || std::holds_alternative<UnionPipe>(step.pipe) ||
          std::holds_alternative<DedupPipe>(step.pipe) || std::holds_alternative<TailPipe>(step.pipe) ||
          looks_at_neighbours(step.pipe);
      if (loses_places) plan_->is_pageable = false;
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
      } else if (!keeps_rows(step->pipe) && !looks_back_only(step->pipe)) {
        needed = 0;
      }
    }
    plan_->rows_needed = needed;
  }

  /// Statistics over few fields need no whole records (storage/snapshot.h, Reduction).
  void reduce_scan() {
    if (plan_->steps.empty() || plan_->context_filter != nullptr || plan_->late_filter != nullptr || plan_->cursor)
      return;
    if (const auto* pattern = std::get_if<PatternPipe>(&plan_->steps.front().pipe)) {
      if (is_time_name(pattern->by)) return;
      plan_->reduction = Reduction{{std::string(kTemplateField), "severity"}, 0, true};
      if (!pattern->by.empty()) plan_->reduction->fields.push_back(pattern->by);
    }
    const auto* stats = std::get_if<StatsPipe>(&plan_->steps.front().pipe);
    if (stats == nullptr) return;
    Reduction reduction;
    for (const GroupKey& key : stats->groups) {
      if (key.window_ns != 0) return;
      if (!is_time_name(key.name)) {
        reduction.fields.push_back(key.name);
      } else if (reduction.time_step_ns != 0 || !fixes_time_step(key.bucket, reduction.time_step_ns)) {
        return;
      }
    }
    for (const Aggregate& aggregate : stats->aggregates) {
      if (depends_on_place(aggregate.kind) || aggregate.condition) return;
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
    // Since 1980 every zone's offset is a multiple of it, whichever way its clocks changed.
    constexpr Timestamp kQuarterHoursSince{315'532'800 * kNanosPerSecond};
    const bool is_regular = plan_->zone->is_fixed() ? time_.utc_offset_s % kQuarterHourSeconds == 0
                                                    : plan_->range.first >= kQuarterHoursSince;
    if (!is_calendar || !is_regular) return false;
    step_ns = kQuarterHourSeconds * kNanosPerSecond;
    return true;
  }

  QueryFault& fault_;
  std::shared_ptr<QueryPlan> plan_;
  TimeReading time_;
  Predicate scan_part_{Everything{}};  ///< of the filter, what the scan asks
  std::size_t first_pipe_ = 0;
};

}  // namespace

Result<std::shared_ptr<const QueryPlan>> make_plan(const QueryRequest& request, QueryFault& fault,
                                                   const SubqueryValues* values) {
  return Planner(request, fault).plan(values);
}

std::optional<std::string> only_column(const QueryPlan& plan) {
  if (plan.output.is_table) {
    return plan.output.columns.size() == 1 ? std::optional(plan.output.columns[0]) : std::nullopt;
  }
  const std::vector<NamePattern> names = plan.output.kept_names();
  return names.size() == 1 && !names[0].is_prefix ? std::optional(names[0].name) : std::nullopt;
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
