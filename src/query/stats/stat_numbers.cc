// sum, avg, min, max.
#include <cmath>
#include <optional>
#include <string>

#include "filter/number.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

/// Exact while everything is an integer of 64 bits; beyond that, and with fractions, a sum of doubles kept to about 120
/// bits (Neumaier's compensation on long double), so that the order of records does not show in the result.
class ExactSum {
 public:
  /// `number`, `weight` times.
  void add(const Number& number, std::uint64_t weight) {
    const auto factor = static_cast<std::int64_t>(weight);
    std::int64_t product = 0;
    if (number.is_int64() && !__builtin_mul_overflow(number.int64(), factor, &product) &&
        !__builtin_add_overflow(integers_, product, &product)) {
      integers_ = product;
      return;
    }
    const auto once =
        number.is_int64() ? static_cast<long double>(number.int64()) : static_cast<long double>(number.to_double());
    const auto times = static_cast<long double>(weight);
    const long double term = once * times;
    add_real(term);
    if (weight != 1) add_real(std::fma(once, times, -term));  // what the product's rounding lost
  }
  Number total() const {
    return has_reals_ ? Number::of_double(static_cast<double>(exact())) : Number::of_int64(integers_);
  }
  double mean(std::uint64_t count) const { return static_cast<double>(exact() / static_cast<long double>(count)); }

 private:
  void add_real(long double term) {
    const long double total = reals_ + term;
    compensation_ += std::fabs(reals_) >= std::fabs(term) ? (reals_ - total) + term : (term - total) + reals_;
    reals_ = total;
    has_reals_ = true;
  }
  long double exact() const { return reals_ + compensation_ + static_cast<long double>(integers_); }
  std::int64_t integers_ = 0;
  long double reals_ = 0;
  long double compensation_ = 0;
  bool has_reals_ = false;
};

class SumAccumulator final : public StatAccumulator {
 public:
  explicit SumAccumulator(bool is_mean) : is_mean_(is_mean) {}
  std::uint64_t add(const StatRow& row) override {
    if (const auto number = number_of_value(row.values[0])) {
      sum_.add(*number, row.weight);
      count_ += row.weight;
    }
    return 0;
  }
  Cell finish(StatFinish&) override {
    if (!is_mean_) return Cell(sum_.total().to_value());
    return count_ == 0 ? Cell() : Cell(Value::of_float64(sum_.mean(count_)));
  }

 private:
  const bool is_mean_;
  ExactSum sum_;
  std::uint64_t count_ = 0;
};

/// The least or greatest number; where there is none, text by code point.
class ExtremeAccumulator final : public StatAccumulator {
 public:
  explicit ExtremeAccumulator(bool is_max) : is_max_(is_max) {}
  std::uint64_t add(const StatRow& row) override {
    const Value& value = row.values[0];
    if (value.is_missing()) return 0;
    if (const auto number = number_of_value(value)) {
      if (!number_ || (is_max_ ? *number > *number_ : *number < *number_)) number_ = *number;
      return 0;
    }
    const std::string_view text = value_text(value, scratch_);
    if (text_ && (is_max_ ? text <= *text_ : text >= *text_)) return 0;
    text_ = std::string(text);
    text_cell_ = Cell(value);
    return 0;
  }
  Cell finish(StatFinish&) override { return number_ ? Cell(number_->to_value()) : text_cell_; }

 private:
  const bool is_max_;
  std::optional<Number> number_;
  std::optional<std::string> text_;
  Cell text_cell_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<StatAccumulator> make_number_accumulator(const Aggregate& aggregate) {
  if (aggregate.kind == StatKind::sum || aggregate.kind == StatKind::avg) {
    return std::make_unique<SumAccumulator>(aggregate.kind == StatKind::avg);
  }
  return std::make_unique<ExtremeAccumulator>(aggregate.kind == StatKind::max);
}

}  // namespace dendro
