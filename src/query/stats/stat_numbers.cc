// sum, avg, rate_sum, sum_len, bytes, min, max, range.
#include <optional>
#include <string>

#include "filter/number.h"
#include "query/stats/exact_sum.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

class SumAccumulator final : public StatAccumulator {
 public:
  explicit SumAccumulator(StatKind kind) : kind_(kind) {}
  std::uint64_t add(const StatRow& row) override {
    if (const auto number = number_of_value(row.values[0])) {
      sum_.add(*number, row.weight);
      count_ += row.weight;
    }
    return 0;
  }
  Cell finish(StatFinish& finish) override {
    if (kind_ == StatKind::sum) return Cell(sum_.total().to_value());
    if (kind_ == StatKind::rate_sum)
      return finish.seconds > 0 ? Cell(Value::of_float64(sum_.over(static_cast<long double>(finish.seconds)))) : Cell();
    return count_ == 0 ? Cell() : Cell(Value::of_float64(sum_.mean(count_)));
  }

 private:
  const StatKind kind_;
  ExactSum sum_;
  std::uint64_t count_ = 0;
};

/// Bytes of the values' texts.
class LengthAccumulator final : public StatAccumulator {
 public:
  std::uint64_t add(const StatRow& row) override {
    for (const Value& value : row.values) {
      if (!value.is_missing()) bytes_ += row.weight * value_text(value, scratch_).size();
    }
    return 0;
  }
  Cell finish(StatFinish&) override { return Cell(Number::of_uint64(bytes_).to_value()); }

 private:
  std::uint64_t bytes_ = 0;
  std::string scratch_;
};

/// The greatest number less the least.
class RangeAccumulator final : public StatAccumulator {
 public:
  std::uint64_t add(const StatRow& row) override {
    const auto number = number_of_value(row.values[0]);
    if (!number) return 0;
    if (!least_ || *number < *least_) least_ = *number;
    if (!greatest_ || *number > *greatest_) greatest_ = *number;
    return 0;
  }
  Cell finish(StatFinish&) override {
    if (!least_) return Cell();
    std::int64_t width = 0;
    if (least_->is_int64() && greatest_->is_int64() &&
        !__builtin_sub_overflow(greatest_->int64(), least_->int64(), &width))
      return Cell(Value::of_int64(width));
    return Cell(Value::of_float64(greatest_->to_double() - least_->to_double()));
  }

 private:
  std::optional<Number> least_, greatest_;
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
  switch (aggregate.kind) {
    case StatKind::min:
    case StatKind::max:
      return std::make_unique<ExtremeAccumulator>(aggregate.kind == StatKind::max);
    case StatKind::range:
      return std::make_unique<RangeAccumulator>();
    case StatKind::sum_len:
    case StatKind::bytes:
      return std::make_unique<LengthAccumulator>();
    default:
      return std::make_unique<SumAccumulator>(aggregate.kind);
  }
}

}  // namespace dendro
