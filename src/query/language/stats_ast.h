#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "filter/predicate.h"

namespace dendro {

// Groups and functions of `stats`, as values (query-language.md 8.5). Part of query/language/query_ast.h.

enum class BucketKind : std::uint8_t { none, duration, number, ip_prefix, week, month, year };
struct Bucket {
  BucketKind kind = BucketKind::none;
  std::int64_t width_ns = 0;  ///< duration
  double step = 0;            ///< number
  int prefix_bits = 0;        ///< ip_prefix
  std::string text;           ///< as it was written
  friend bool operator==(const Bucket& a, const Bucket& b) { return a.kind == b.kind && a.text == b.text; }
};
struct GroupKey {
  std::string name;
  Bucket bucket;
  std::string column;
  /// Each row counts in every bucket t with its time in (t - offset - window, t - offset]; 0: in its own.
  std::int64_t window_ns = 0;
  std::int64_t offset_ns = 0;  ///< of the window
  std::string window = {};     ///< as it was written: `5m`, `5m offset 1h`
  friend bool operator==(const GroupKey&, const GroupKey&) = default;
};

enum class StatKind : std::uint8_t {
  count,
  count_empty,
  count_uniq,
  sum,
  avg,
  min,
  max,
  quantile,
  first,
  last,
  values,
  uniq_values,
  rate,
  count_uniq_approx,
  quantiles,
  sum_len,
  stddev,
  variance,
  skew,
  mode,
  range,
  rate_sum,
  increase,
  row_min,
  row_max,
  row_any,
  top_values,
  histogram,
  entropy,
  corr,
  covar,
  slope,
  ewma,
  bytes,
};
/// True if the result depends on which record a value stands in, or when that was: equal rows are not one row then.
bool depends_on_place(StatKind kind);
/// True if over no rows the function gives 0: counts and sums.
bool is_zero_of_nothing(StatKind kind);

struct Aggregate {
  StatKind kind = StatKind::count;
  std::string function;         ///< as the language names it: p95, median
  double phi = 0;               ///< quantile
  std::vector<double> numbers;  ///< in front of the fields: quantiles, how many top values, weight of ewma
  std::vector<std::string> fields;
  std::optional<Predicate> condition;
  std::string column;
  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};
struct StatsPipe {
  std::vector<GroupKey> groups;
  std::vector<Aggregate> aggregates;
  friend bool operator==(const StatsPipe&, const StatsPipe&) = default;
};

}  // namespace dendro
