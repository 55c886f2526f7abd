// Planning of the pipes of language/analysis_ast.h.
#include <array>
#include <cmath>

#include "filter/number.h"
#include "query/plan/lookup_tables.h"
#include "query/plan/step_planner.h"

namespace dendro {
namespace {

/// Buckets of a timechart without a span: the narrowest of these that needs no more than so many.
constexpr std::int64_t kChartBucketsMax = 120;
constexpr std::array<std::string_view, 20> kChartSpans = {"1ms", "10ms", "100ms", "1s", "2s",  "5s",  "10s",
                                                          "15s", "30s",  "1m",    "2m", "5m",  "10m", "15m",
                                                          "30m", "1h",   "3h",    "6h", "12h", "1d"};

/// Earlier weeks whose counts of the same time say what is usual (diagnosis.md 5.2).
constexpr std::size_t kCompareWeeks = 4;
constexpr std::int64_t kWeekNs = 7 * kNanosPerDay;

/// The window, one week, two weeks, .. earlier, as far as times go. None of one so long that it meets itself.
std::vector<TimeRange> weeks_before(const TimeRange& window) {
  std::vector<TimeRange> weeks;
  if (window.last.number() - window.first.number() > kWeekNs) return weeks;
  TimeRange week = window;
  while (weeks.size() < kCompareWeeks && week.first.number() >= INT64_MIN + kWeekNs) {
    week = {Timestamp(week.first.number() - kWeekNs), Timestamp(week.last.number() - kWeekNs)};
    weeks.push_back(week);
  }
  return weeks;
}

Bucket chart_bucket(const TimeRange& range) {
  const double width = static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
  Bucket bucket;
  bucket.kind = BucketKind::duration;
  for (const std::string_view span : kChartSpans) {
    bucket.text = span;
    bucket.width_ns = parse_duration(span).value_or(kNanosPerDay);
    if (width <= static_cast<double>(bucket.width_ns) * kChartBucketsMax) return bucket;
  }
  const double days = std::ceil(width / static_cast<double>(kNanosPerDay) / kChartBucketsMax);
  bucket.width_ns = static_cast<std::int64_t>(days) * kNanosPerDay;
  bucket.text = std::to_string(static_cast<std::int64_t>(days)) + "d";
  return bucket;
}

bool is_bounded(const TimeRange& range) {
  return range.first != kTimestampMin && range.last != kTimestampMax && range.first < range.last;
}

}  // namespace

/// Right behind the filter: the scan marks what matches (QueryPlan::context_filter).
void StepPlanner::add(const ContextPipe& pipe) {
  if (!plan_->steps.empty() || plan_->context_filter == nullptr) {
    refusal_ = "context looks at all records around the matching ones; it must be the first pipe behind the filter";
    return;
  }
  add_edit(pipe, std::nullopt, [](RowShape& shape) { shape.make({std::string(kMatchField), false}); });
}

void StepPlanner::add(const FlattenPipe& pipe) {
  if (shape_.is_table) {
    refusal_ = "the columns of a table must be known; flatten in front of it";
    return;
  }
  add_edit(pipe, std::nullopt, [&pipe](RowShape& shape) {
    for (const std::string& name : pipe.names) shape.make({name + ".", true});
  });
}

void StepPlanner::add(const LookupPipe& pipe) {
  if (plan_->request.lookup_tables == nullptr) {
    refusal_ = "tables for lookup are not known here; a server needs a folder for them";
    return;
  }
  auto table = plan_->request.lookup_tables->find(pipe.table);
  if (!table) {
    refusal_ = table.error().message();
    return;
  }
  const RowShape& right = (*table)->shape;
  for (const LookupPipe::Key& key : pipe.keys) {
    if (right.is_visible(key.column)) continue;
    refusal_ = "the table \"" + pipe.table + "\" has no column \"" + key.column + "\"; write by (field as column)";
    return;
  }
  add_edit(pipe, std::nullopt, [&](RowShape& shape) {
    for (const std::string& column : right.columns) {
      if (is_looked_up(pipe, column)) shape.make({pipe.prefix + column, false});
    }
  });
  plan_->steps.back().table = std::move(*table);
}

void StepPlanner::add(const GeoipPipe& pipe) {
  if (plan_->request.geo_database == nullptr) {
    refusal_ =
        "geoip has no database: set query.geoip_database (DENDRO_QUERY_GEOIP_DATABASE) to a file of MaxMind's format";
    return;
  }
  add_edit(pipe, pipe.condition, [&pipe](RowShape& shape) {
    for (const std::string_view field : kGeoFields) {
      if (is_geo_field_wanted(pipe, field)) shape.make({pipe.prefix + std::string(field), false});
    }
  });
}

void StepPlanner::add(const BlockStatsPipe& pipe) {
  if (!plan_->steps.empty() || plan_->late_filter != nullptr) {
    refusal_ =
        "block_stats looks at what is stored; it must be the first pipe behind a filter without _id and _observed";
    return;
  }
  add_table(pipe, {kBlockStatsColumns.begin(), kBlockStatsColumns.end()});
}

/// Rows come oldest first: from the scan where no step so far minds, else by a sort.
void StepPlanner::order_by_time() {
  const bool is_free = std::all_of(plan_->steps.begin(), plan_->steps.end(), [](const QueryStep& step) {
    return keeps_rows(step.pipe) || std::holds_alternative<WherePipe>(step.pipe) ||
           std::holds_alternative<SamplePipe>(step.pipe);
  });
  if (is_free) {
    plan_->request.order = ScanOrder::oldest_first;
    return;
  }
  SortPipe sort;
  sort.keys.push_back({"_time", false});
  QueryStep& step = push_step(sort);
  step.sort.order = ScanOrder::oldest_first;
  step.sort.ties_by_position = true;
}

void StepPlanner::add(const TransactionPipe& pipe) {
  if (shape_.is_table) {
    refusal_ = "transaction joins records; it stands in front of the pipe that makes a table";
    return;
  }
  order_by_time();
  std::vector<std::string> columns = pipe.names;
  for (const char* column : {"first", "last", "duration", "count", "closed"}) columns.emplace_back(column);
  add_table(pipe, std::move(columns));
  if (pipe.starts) plan_->steps.back().starts = compile_filter(*pipe.starts);
  if (pipe.ends) plan_->steps.back().ends = compile_filter(*pipe.ends);
}

void StepPlanner::add(const WithStatsPipe& pipe) {
  add_edit(pipe, std::nullopt, [&pipe](RowShape& shape) {
    for (const Aggregate& aggregate : pipe.stats.aggregates) shape.make({aggregate.column, false});
  });
  plan_->steps.back().stats = {false, plan_->zone, plan_->range};
}

void StepPlanner::add(const DeltaPipe& pipe) {
  add_edit(pipe, std::nullopt, [&pipe](RowShape& shape) { shape.make({pipe.to, false}); });
}

void StepPlanner::push_fill(FillGapsPipe pipe, std::vector<Cell> fillers) {
  QueryStep& step = push_step(std::move(pipe));
  step.stats = {false, plan_->zone, plan_->range};
  step.fillers = std::move(fillers);
  step.output = shape_;
  is_reordered_ = true;
}

/// Statistics, then a row for each bucket that has none.
void StepPlanner::add(const TimechartPipe& pipe) {
  StatsPipe stats = pipe.stats;
  if (shape_.is_table && !shape_.is_visible("_time")) {
    refusal_ = "timechart needs a column _time";
    return;
  }
  if (stats.groups[0].bucket.kind == BucketKind::none) {
    if (!is_bounded(plan_->range)) {
      refusal_ = "timechart needs a span, or a range of time: timechart span 1m count()";
      return;
    }
    stats.groups[0].bucket = chart_bucket(plan_->range);
  }
  add_stats(stats, false);
  FillGapsPipe fill;
  fill.time = stats.groups[0];
  std::vector<Cell> fillers(stats.groups.size());
  for (std::size_t i = 1; i < stats.groups.size(); ++i) fill.names.push_back(stats.groups[i].column);
  for (const Aggregate& aggregate : stats.aggregates)
    fillers.push_back(is_zero_of_nothing(aggregate.kind) ? Cell(Value::of_int64(0)) : Cell());
  push_fill(std::move(fill), std::move(fillers));
}

bool StepPlanner::check_columns(std::string_view pipe, const std::vector<std::string>& names) {
  if (!shape_.is_table) {
    refusal_ = std::string(pipe) + " works on a table; make one with timechart or stats";
    return false;
  }
  for (const std::string& name : names) {
    if (shape_.is_visible(name)) continue;
    refusal_ = "the table has no column \"" + name + "\"";
    return false;
  }
  return true;
}

void StepPlanner::add(const FillGapsPipe& pipe) {
  std::vector<std::string> names = pipe.names;
  names.push_back(pipe.time.name);
  if (!check_columns("fill_gaps", names)) return;
  const auto number = pipe.filler ? parse_number(*pipe.filler) : std::nullopt;
  push_fill(pipe, std::vector<Cell>(shape_.columns.size(), number ? Cell(number->to_value()) : Cell()));
}

/// The scan goes over all windows, and over nothing between them (Planner::finish).
void StepPlanner::add(const ComparePipe& pipe) {
  const TimeRange window = plan_->range;
  if (shape_.is_table || !is_bounded(window)) {
    refusal_ = shape_.is_table ? "compare looks at records; it stands in front of the pipe that makes a table"
                               : "compare needs a range of time: _time:1h, or start and end";
    return;
  }
  const std::int64_t length_ns = window.last.number() - window.first.number();
  const std::int64_t offset_ns = pipe.offset_ns == 0 ? length_ns : pipe.offset_ns;
  if (offset_ns < length_ns) {
    refusal_ = "the two windows overlap; the offset must be at least as long as the range of time";
    return;
  }
  std::int64_t first_ns = 0;
  if (__builtin_sub_overflow(window.first.number(), offset_ns, &first_ns)) {
    refusal_ = "the time to compare with lies before 1677";
    return;
  }
  std::vector<std::string> columns = {"_template", "template"};
  if (!pipe.name.empty()) columns = {pipe.name};
  for (const char* column : {"change", "hits", "before", "effect", "q", "usual", "z"}) columns.emplace_back(column);
  add_table(pipe, std::move(columns));
  const TimeRange before{Timestamp(first_ns), Timestamp(first_ns + length_ns)};
  CompareStep& step = plan_->steps.back().compare;
  step = {window, before, weeks_before(window)};
  plan_->reads_from = step.weeks.empty() ? before.first : std::min(before.first, step.weeks.back().first);
}

void StepPlanner::add(const HistogramPipe& pipe) {
  add_table(pipe, {"from", "to", "hits"});
}

/// Short for statistics by `_stream`.
void StepPlanner::add(const StreamsPipe&) {
  StatsPipe stats;
  stats.groups.push_back({"_stream", {}, "_stream"});
  stats.aggregates.push_back(hits());
  for (const StatKind kind : {StatKind::first, StatKind::last}) {
    Aggregate end;
    end.kind = kind;
    end.function = end.column = kind == StatKind::first ? "first" : "last";
    end.fields = {"_time"};
    stats.aggregates.push_back(std::move(end));
  }
  add_stats(stats, true);
  SortPipe sort;
  sort.keys = {{"hits", true}, {"_stream", false}};
  add(sort);
}

void StepPlanner::add(const SeriesPipe& pipe) {
  static constexpr std::array<std::string_view, 3> kWords = {"anomaly", "changepoint", "forecast"};
  if (!check_columns(kWords[static_cast<std::size_t>(pipe.kind)], {pipe.name})) return;
  QueryStep& step = push_step(pipe);
  if (pipe.kind == SeriesPipe::Kind::anomaly) shape_.make({"score", false});
  shape_.make({std::string(kWords[static_cast<std::size_t>(pipe.kind)]), false});
  step.output = shape_;
}

void StepPlanner::add(const CorrelatePipe& pipe) {
  std::vector<std::string> names = pipe.others;
  names.push_back(pipe.name);
  if (!check_columns("correlate", names)) return;
  add_table(pipe, {"field", "r", "rows"});
}

}  // namespace dendro
