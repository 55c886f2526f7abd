// stddev, variance, skew (of the population), corr, covar, slope.
#include <cmath>
#include <optional>

#include "filter/number.h"
#include "query/stats/exact_sum.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

Cell real_cell(long double number) {
  const auto rounded = static_cast<double>(number);
  return std::isfinite(rounded) ? Cell(Value::of_float64(rounded)) : Cell();
}

long double real_of(const Number& number) {
  return number.is_int64() ? static_cast<long double>(number.int64()) : static_cast<long double>(number.to_double());
}

/// Sums of powers of the distance to the first value: close to the mean compared with zero, so that little cancels.
class MomentAccumulator final : public StatAccumulator {
 public:
  explicit MomentAccumulator(StatKind kind) : kind_(kind) {}
  std::uint64_t add(const StatRow& row) override {
    const auto number = number_of_value(row.values[0]);
    if (!number) return 0;
    const long double value = real_of(*number);
    if (count_ == 0) pivot_ = value;
    const auto weight = static_cast<long double>(row.weight);
    const long double distance = value - pivot_;
    count_ += weight;
    first_.add(weight * distance);
    second_.add(weight * distance * distance);
    third_.add(weight * distance * distance * distance);
    return 0;
  }
  Cell finish(StatFinish&) override {
    if (count_ == 0) return Cell();
    const long double mean = first_.total() / count_;
    const long double variance = std::fmax(second_.total() / count_ - mean * mean, 0.0L);
    if (kind_ == StatKind::variance) return real_cell(variance);
    if (kind_ == StatKind::stddev) return real_cell(std::sqrt(variance));
    if (variance == 0) return Cell();
    const long double third = third_.total() / count_ - 3 * mean * second_.total() / count_ + 2 * mean * mean * mean;
    return real_cell(third / (variance * std::sqrt(variance)));
  }

 private:
  const StatKind kind_;
  long double count_ = 0, pivot_ = 0;
  RealSum first_, second_, third_;
};

/// Of two fields; `slope` of one takes the record's time in seconds as the other.
class PairAccumulator final : public StatAccumulator {
 public:
  explicit PairAccumulator(StatKind kind) : kind_(kind) {}
  std::uint64_t add(const StatRow& row) override {
    const auto y = number_of_value(row.values[0]);
    const bool has_x = row.values.size() > 1;
    const auto x = has_x ? number_of_value(row.values[1]) : Number::of_int64(row.position.timestamp.number());
    if (!x || !y) return 0;
    if (count_ == 0) {
      x_pivot_ = real_of(*x);
      y_pivot_ = real_of(*y);
    }
    const auto weight = static_cast<long double>(row.weight);
    const long double from_x = (real_of(*x) - x_pivot_) / (has_x ? 1 : 1e9L);
    const long double from_y = real_of(*y) - y_pivot_;
    count_ += weight;
    x_.add(weight * from_x);
    y_.add(weight * from_y);
    xx_.add(weight * from_x * from_x);
    yy_.add(weight * from_y * from_y);
    xy_.add(weight * from_x * from_y);
    return 0;
  }
  Cell finish(StatFinish&) override {
    if (count_ == 0) return Cell();
    const long double x = x_.total() / count_, y = y_.total() / count_;
    const long double covariance = xy_.total() / count_ - x * y;
    const long double x_variance = xx_.total() / count_ - x * x;
    const long double y_variance = yy_.total() / count_ - y * y;
    if (kind_ == StatKind::covar) return real_cell(covariance);
    if (kind_ == StatKind::slope) return x_variance <= 0 ? Cell() : real_cell(covariance / x_variance);
    if (x_variance <= 0 || y_variance <= 0) return Cell();
    return real_cell(std::fmin(std::fmax(covariance / std::sqrt(x_variance * y_variance), -1.0L), 1.0L));
  }

 private:
  const StatKind kind_;
  long double count_ = 0, x_pivot_ = 0, y_pivot_ = 0;
  RealSum x_, y_, xx_, yy_, xy_;
};

}  // namespace

StatAccumulatorPtr make_moment_accumulator(const Aggregate& aggregate) {
  switch (aggregate.kind) {
    case StatKind::corr:
    case StatKind::covar:
    case StatKind::slope:
      return std::make_unique<PairAccumulator>(aggregate.kind);
    default:
      return std::make_unique<MomentAccumulator>(aggregate.kind);
  }
}

}  // namespace dendro
