#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "query/language/query_ast.h"
#include "query/plan/query_engine.h"
#include "query/rows/cell.h"
#include "record/record_id.h"

namespace dendro {

/// What a statistics function sees of one row.
struct StatRow {
  std::span<const Value> values;  ///< of the function's fields, null where missing; valid during the call
  RecordPosition position;        ///< of a record; rows of a table are numbered upwards
  std::uint64_t weight = 1;       ///< how many such rows this one stands for
};

/// What a result may depend on besides the rows.
struct StatFinish {
  double seconds = 0;           ///< width of the bucket, or of the range; 0: unknown
  bool is_approximate = false;  ///< out: the result is within 1 %
  bool was_cut = false;         ///< out: `values` dropped elements
};

/// One statistics function over the rows of one group (query-language.md 8.5). Not thread-safe.
class StatAccumulator {
 public:
  virtual ~StatAccumulator() = default;
  /// Returns the bytes it keeps now beyond those it kept before.
  virtual std::uint64_t add(const StatRow& row) = 0;
  /// The result over the rows so far; more may follow.
  virtual Cell finish(StatFinish& finish) = 0;
};

std::unique_ptr<StatAccumulator> make_stat_accumulator(const Aggregate& aggregate, const QueryLimits& limits);

// The families, one file each.
using StatAccumulatorPtr = std::unique_ptr<StatAccumulator>;
StatAccumulatorPtr make_count_accumulator(const Aggregate& aggregate);     // count count_empty count_uniq rate
StatAccumulatorPtr make_number_accumulator(const Aggregate& aggregate);    // sum avg min max range sum_len ..
StatAccumulatorPtr make_quantile_accumulator(const Aggregate& aggregate);  // quantile quantiles median p50 ..
StatAccumulatorPtr make_choice_accumulator(const Aggregate& aggregate,
                                           const QueryLimits& limits);      // first last values uniq_values
StatAccumulatorPtr make_moment_accumulator(const Aggregate& aggregate);     // stddev variance skew corr covar slope
StatAccumulatorPtr make_frequency_accumulator(const Aggregate& aggregate);  // mode top_values entropy histogram
StatAccumulatorPtr make_place_accumulator(const Aggregate& aggregate);      // increase ewma row_min row_max row_any
StatAccumulatorPtr make_sketch_accumulator(const Aggregate& aggregate);     // count_uniq_approx

/// Missing, "", [] or {}.
bool is_empty_value(const Value& value);

}  // namespace dendro
