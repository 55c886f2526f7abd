#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filter/compiled_filter.h"
#include "query/language/query_ast.h"
#include "query/language/query_parser.h"
#include "query/plan/field_need.h"
#include "query/plan/query_cursor.h"
#include "query/plan/query_engine.h"
#include "query/plan/query_request.h"
#include "query/rows/row_batch.h"
#include "query/rows/subquery_rows.h"
#include "storage/snapshot.h"

namespace dendro {

struct SortStep {
  bool ties_by_position = false;  ///< the rows come in no order; otherwise ties keep the order they come in
  ScanOrder order = ScanOrder::newest_first;
};
/// The first `count` rows of a table by some of its columns, then by the columns not among them as `stats` orders them.
struct BestGroups {
  struct Key {
    std::size_t column = 0;  ///< of the table: groups, then results
    std::string name;
    bool descending = false;
  };
  std::vector<Key> keys;
  std::uint64_t count = 0;
};
struct StatsStep {
  bool leaves_out_missing = false;  ///< rows without a group's field (top, rare)
  std::shared_ptr<const TimeZone> zone = TimeZone::utc();
  TimeRange range;
  std::optional<BestGroups> best = {};  ///< no other groups are wanted: they are sorted by the next step
};

struct CompareStep {
  TimeRange window, before;      ///< of equal length
  std::vector<TimeRange> weeks;  ///< the same as `window`, one week, two weeks, .. earlier
};

/// One pipe as it will run: `pipe` says what, the rest how. `top`, `rare` and `uniq` are stats and sort here.
struct QueryStep {
  Pipe pipe;
  RowShape input;
  RowShape output;                               ///< of pipes that change rows
  FieldNeed need;                                ///< of them: what is looked at further on
  std::shared_ptr<const CompiledFilter> filter;  ///< where; the condition of others
  std::vector<std::size_t> columns;              ///< fields, drop of a table
  SortStep sort;
  StatsStep stats;
  std::shared_ptr<const CompiledFilter> starts, ends;  ///< transaction; null: none
  std::shared_ptr<const SubqueryRows> table;           ///< lookup
  std::vector<Cell> fillers;                           ///< fill_gaps: of each column in a row that is filled in
  CompareStep compare;
  bool merges = false;  ///< union: the other rows go to their places
};

struct QueryPlan;
/// A query inside a query, planned.
struct SubPlan {
  std::shared_ptr<const QueryPlan> plan;
  Subquery::Use use = Subquery::Use::values;
  std::string text;  ///< canonical
};

/// A query made ready: what to read, what to do with it, what the answer looks like. Immutable.
struct QueryPlan {
  QueryRequest request;
  ParsedQuery parsed;
  TimeRange range;  ///< start, end and every `_time` of the filter
  /// Where the scan begins and ends, if a step looks at what lies around the range; never inside it.
  std::optional<Timestamp> reads_from, reads_until;
  TimeRange scan_range() const { return {reads_from.value_or(range.first), reads_until.value_or(range.last)}; }
  bool is_empty_range = false;
  std::shared_ptr<const CompiledFilter> scan_filter;  ///< what the scan itself asks
  std::shared_ptr<const CompiledFilter>
      late_filter;  ///< what needs a record's sequence or receive time (`_id`, `_observed`), or null
  /// Of a query with `context`: the scan gives every record and marks those that match. Otherwise null.
  std::shared_ptr<const CompiledFilter> context_filter;
  bool excludes_dead_letters = false;
  bool needs_order = true;             ///< records must come in the total order before the first step
  std::uint64_t rows_needed = 0;       ///< of the ordered records; 0 = all
  std::optional<Reduction> reduction;  ///< what the first step looks at, where that is all there is to look at
  std::vector<SubPlan> subplans;       ///< by number
  std::vector<QueryStep> steps;
  std::shared_ptr<const TimeZone> zone = TimeZone::utc();  ///< of the request
  std::vector<FieldUse> record_uses;  ///< of records, behind the first filter, and not of names that pipes set
  RowShape output;
  std::optional<std::uint64_t> limit;  ///< rows of the answer; nothing = all
  bool is_pageable = false;
  std::optional<QueryCursor> cursor;
  std::vector<QueryWarning> warnings;
  std::uint64_t query_hash = 0;
};

/// Errors and `fault`: as prepare_query. `values`: what is known of queries inside in( ).
Result<std::shared_ptr<const QueryPlan>> make_plan(const QueryRequest& request, QueryFault& fault,
                                                   const SubqueryValues* values = nullptr);
/// The filter that says which records match.
inline const CompiledFilter& matching_filter(const QueryPlan& plan) {
  return plan.context_filter != nullptr ? *plan.context_filter : *plan.scan_filter;
}
/// Name of the only column that a query leaves; nothing if it leaves another count.
std::optional<std::string> only_column(const QueryPlan& plan);

}  // namespace dendro
