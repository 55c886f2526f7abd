// sum, avg, min, max.
#include <cmath>
#include <optional>
#include <string>

#include "filter/number.h"
#include "query/stat_accumulator.h"

namespace dendro {
namespace {

/// Exact while everything is an integer of 64 bits; beyond that, and with fractions, a sum of doubles kept to about 120
/// bits (Neumaier's compensation on long double), so that the order of records does not show in the result.
class ExactSum {
 public:
  void add(const Number& number) {
    if (number.is_int64() && !__builtin_add_overflow(integers_, number.int64(), &integers_)) return;
    const auto term =
        number.is_int64() ? static_cast<long double>(number.int64()) : static_cast<long double>(number.to_double());
    const long double total = reals_ + term;
    compensation_ += std::fabs(reals_) >= std::fabs(term) ? (reals_ - total) + term : (term - total) + reals_;
    reals_ = total;
    has_reals_ = true;
  }
  Number total() const {
    return has_reals_ ? Number::of_double(static_cast<double>(exact())) : Number::of_int64(integers_);
  }
  double mean(std::uint64_t count) const { return static_cast<double>(exact() / static_cast<long double>(count)); }

 private:
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
      sum_.add(*number);
      ++count_;
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
