// quantile, quantiles, median, p50 ..: nearest rank (query-language.md D11).
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "filter/number.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

/// Values kept one by one; beyond that buckets within 1 % (query-language.md 8.5).
constexpr std::size_t kExactValuesMax = 4096;

/// Counts values in buckets whose bounds grow by a fixed ratio, so that the middle of a bucket is within 1 % of each
/// value in it. Source: C. Masson, J. Rim, H. Lee, DDSketch, PVLDB 12, 2019.
class RatioBuckets {
 public:
  void add(double value, std::uint64_t weight) {
    count_ += weight;
    buckets_[key_of(value)] += weight;
  }
  std::uint64_t count() const { return count_; }
  /// The value of the bucket that holds the rank-th value, from 1.
  double at_rank(std::uint64_t rank) const {
    std::uint64_t before = 0;
    for (const auto& [key, count] : buckets_) {
      before += count;
      if (before >= rank) return value_of(key);
    }
    return 0;
  }

 private:
  static constexpr double kAccuracy = 0.0099;
  static constexpr double kRatio = (1 + kAccuracy) / (1 - kAccuracy);
  /// Sign and logarithm: the order of keys is the order of values. Magnitudes below 1e-300 count as zero.
  static std::int32_t key_of(double value) {
    if (std::fabs(value) < 1e-300) return 0;
    const auto exponent = static_cast<std::int32_t>(std::ceil(std::log(std::fabs(value)) / std::log(kRatio)));
    const std::int32_t magnitude = exponent + kOffset;
    return value < 0 ? -magnitude : magnitude;
  }
  static double value_of(std::int32_t key) {
    if (key == 0) return 0;
    const double magnitude = 2 * std::pow(kRatio, std::abs(key) - kOffset) / (kRatio + 1);
    return key < 0 ? -magnitude : magnitude;
  }
  static constexpr std::int32_t kOffset = 50'000;  // keeps exponents of 1e-300 positive
  std::map<std::int32_t, std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
};

std::uint64_t nearest_rank(double phi, std::uint64_t count) {
  const auto rank = static_cast<std::uint64_t>(std::ceil(phi * static_cast<double>(count)));
  return std::clamp<std::uint64_t>(rank, 1, count);
}

class QuantileAccumulator final : public StatAccumulator {
 public:
  /// `is_list`: the result is a list, one value for each of `phis`.
  QuantileAccumulator(std::vector<double> phis, bool is_list) : phis_(std::move(phis)), is_list_(is_list) {}
  std::uint64_t add(const StatRow& row) override {
    const auto number = number_of_value(row.values[0]);
    if (!number) return 0;
    if (buckets_.count() == 0 && exact_.size() + row.weight <= kExactValuesMax) {
      exact_.insert(exact_.end(), row.weight, *number);
      return row.weight * sizeof(Number);
    }
    for (const Number& known : exact_) buckets_.add(known.to_double(), 1);
    exact_.clear();
    exact_.shrink_to_fit();
    buckets_.add(number->to_double(), row.weight);
    return 0;
  }
  Cell finish(StatFinish& finish) override {
    finish.is_approximate = buckets_.count() > 0;
    if (!is_list_) return Cell(at(phis_[0]));
    if (buckets_.count() == 0 && exact_.empty()) return Cell();
    std::string json = "[";
    for (const double phi : phis_) {
      if (json.size() > 1) json.push_back(',');
      append_value_json(json, at(phi));
    }
    return Cell(Value::of_list(json + "]"));
  }

 private:
  Value at(double phi) {
    if (buckets_.count() > 0) return Value::of_float64(buckets_.at_rank(nearest_rank(phi, buckets_.count())));
    if (exact_.empty()) return Value::of_null();
    const auto rank = static_cast<std::ptrdiff_t>(nearest_rank(phi, exact_.size())) - 1;
    std::nth_element(exact_.begin(), exact_.begin() + rank, exact_.end(),
                     [](const Number& a, const Number& b) { return a < b; });
    return exact_[static_cast<std::size_t>(rank)].to_value();
  }

  const std::vector<double> phis_;
  const bool is_list_;
  std::vector<Number> exact_;
  RatioBuckets buckets_;
};

}  // namespace

std::unique_ptr<StatAccumulator> make_quantile_accumulator(const Aggregate& aggregate) {
  const bool is_list = aggregate.kind == StatKind::quantiles;
  return std::make_unique<QuantileAccumulator>(is_list ? aggregate.numbers : std::vector<double>{aggregate.phi},
                                               is_list);
}

}  // namespace dendro
