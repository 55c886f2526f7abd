// increase, ewma: numbers in the order of time. row_min, row_max, row_any: fields of one record.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "filter/number.h"
#include "query/stats/exact_sum.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

constexpr double kEwmaWeight = 0.3;

/// Keeps the numbers, and sorts them by time at the end.
class SeriesAccumulator final : public StatAccumulator {
 public:
  SeriesAccumulator(StatKind kind, double weight) : kind_(kind), weight_(weight) {}
  std::uint64_t add(const StatRow& row) override {
    const auto number = number_of_value(row.values[0]);
    if (!number) return 0;
    numbers_.emplace_back(row.position, *number);
    return sizeof(numbers_[0]);
  }
  Cell finish(StatFinish&) override {
    std::sort(numbers_.begin(), numbers_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    if (kind_ == StatKind::increase) return Cell(increase().to_value());
    if (numbers_.empty()) return Cell();
    double mean = numbers_[0].second.to_double();
    for (const auto& [position, number] : numbers_) mean = weight_ * number.to_double() + (1 - weight_) * mean;
    return Cell(Value::of_float64(mean));
  }

 private:
  /// Of a counter: where it falls it began anew at 0.
  Number increase() const {
    ExactSum sum;
    for (std::size_t i = 1; i < numbers_.size(); ++i) {
      const Number& before = numbers_[i - 1].second;
      const Number& now = numbers_[i].second;
      sum.add(now, 1);
      if (before > now) continue;
      std::int64_t negated = 0;
      const bool is_exact = before.is_int64() && !__builtin_sub_overflow(std::int64_t{0}, before.int64(), &negated);
      sum.add(is_exact ? Number::of_int64(negated) : Number::of_double(-before.to_double()), 1);
    }
    return sum.total();
  }

  const StatKind kind_;
  const double weight_;
  std::vector<std::pair<RecordPosition, Number>> numbers_;
};

/// The fields of the record with the least or greatest number in the first one, or of any; of equals the latest.
class RowAccumulator final : public StatAccumulator {
 public:
  explicit RowAccumulator(const Aggregate& aggregate) : kind_(aggregate.kind), fields_(aggregate.fields) {}
  std::uint64_t add(const StatRow& row) override {
    const auto number = number_of_value(row.values[0]);
    if (kind_ != StatKind::row_any && !number) return 0;
    if (kind_ == StatKind::row_any && std::all_of(row.values.begin(), row.values.end(), is_empty_value)) return 0;
    if (position_ && !is_better(number.value_or(Number()), row.position)) return 0;
    const std::size_t bytes_before = json_.size();
    number_ = number.value_or(Number());
    position_ = row.position;
    write(row);
    return json_.size() > bytes_before ? json_.size() - bytes_before : 0;
  }
  Cell finish(StatFinish&) override { return position_ ? Cell(Value::of_list(json_)) : Cell(); }

 private:
  bool is_better(const Number& number, RecordPosition position) const {
    if (kind_ == StatKind::row_any || number == number_) return *position_ < position;
    return kind_ == StatKind::row_min ? number < number_ : number > number_;
  }
  void write(const StatRow& row) {
    json_ = "{";
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (row.values[i].is_missing()) continue;
      if (json_.size() > 1) json_.push_back(',');
      append_json_string(json_, fields_[i]);
      json_.push_back(':');
      append_value_json(json_, row.values[i]);
    }
    json_.push_back('}');
  }

  const StatKind kind_;
  const std::vector<std::string> fields_;
  Number number_;
  std::optional<RecordPosition> position_;
  std::string json_;
};

}  // namespace

StatAccumulatorPtr make_place_accumulator(const Aggregate& aggregate) {
  if (aggregate.kind != StatKind::increase && aggregate.kind != StatKind::ewma)
    return std::make_unique<RowAccumulator>(aggregate);
  const double weight = aggregate.numbers.empty() ? kEwmaWeight : aggregate.numbers[0];
  return std::make_unique<SeriesAccumulator>(aggregate.kind, weight);
}

}  // namespace dendro
