#include "query/stats/stat_accumulator.h"

namespace dendro {

std::unique_ptr<StatAccumulator> make_stat_accumulator(const Aggregate& aggregate, const QueryLimits& limits) {
  switch (aggregate.kind) {
    case StatKind::count:
    case StatKind::count_empty:
    case StatKind::count_uniq:
    case StatKind::rate:
      return make_count_accumulator(aggregate);
    case StatKind::sum:
    case StatKind::avg:
    case StatKind::min:
    case StatKind::max:
    case StatKind::range:
    case StatKind::rate_sum:
    case StatKind::sum_len:
    case StatKind::bytes:
      return make_number_accumulator(aggregate);
    case StatKind::quantile:
    case StatKind::quantiles:
      return make_quantile_accumulator(aggregate);
    case StatKind::stddev:
    case StatKind::variance:
    case StatKind::skew:
    case StatKind::corr:
    case StatKind::covar:
    case StatKind::slope:
      return make_moment_accumulator(aggregate);
    case StatKind::mode:
    case StatKind::top_values:
    case StatKind::entropy:
    case StatKind::histogram:
      return make_frequency_accumulator(aggregate);
    case StatKind::increase:
    case StatKind::ewma:
    case StatKind::row_min:
    case StatKind::row_max:
    case StatKind::row_any:
      return make_place_accumulator(aggregate);
    case StatKind::count_uniq_approx:
      return make_sketch_accumulator(aggregate);
    case StatKind::first:
    case StatKind::last:
    case StatKind::values:
    case StatKind::uniq_values:
      break;
  }
  return make_choice_accumulator(aggregate, limits);
}

}  // namespace dendro
