// count, count_empty, count_uniq, rate.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "query/stats/stat_accumulator.h"
#include "query/stats/text_numbers.h"

namespace dendro {
namespace {

class CountAccumulator final : public StatAccumulator {
 public:
  explicit CountAccumulator(bool counts_empty) : counts_empty_(counts_empty) {}
  std::uint64_t add(const StatRow& row) override {
    if (row.values.empty()) {
      count_ += row.weight;
      return 0;
    }
    const bool all_empty = std::all_of(row.values.begin(), row.values.end(), is_empty_value);
    if (all_empty == counts_empty_) count_ += row.weight;
    return 0;
  }
  Cell finish(StatFinish&) override { return Cell(Number::of_uint64(count_).to_value()); }

 private:
  const bool counts_empty_;
  std::uint64_t count_ = 0;
};

/// Records a second.
class RateAccumulator final : public StatAccumulator {
 public:
  std::uint64_t add(const StatRow& row) override {
    count_ += row.weight;
    return 0;
  }
  Cell finish(StatFinish& finish) override {
    return finish.seconds > 0 ? Cell(Value::of_float64(static_cast<double>(count_) / finish.seconds)) : Cell();
  }

 private:
  std::uint64_t count_ = 0;
};

/// Exact: keeps each distinct combination, by text.
class DistinctAccumulator final : public StatAccumulator {
 public:
  std::uint64_t add(const StatRow& row) override {
    if (std::all_of(row.values.begin(), row.values.end(), is_empty_value)) return 0;
    if (row.values.size() == 1) return see(value_text(row.values.front(), scratch_));
    key_.clear();
    for (const Value& value : row.values) append_sized(key_, value_text(value, scratch_));
    return see(key_);
  }
  Cell finish(StatFinish&) override { return Cell(Number::of_uint64(seen_.size()).to_value()); }

 private:
  std::uint64_t see(std::string_view key) { return seen_.add(key).is_new ? key.size() + kSeenBytes : 0; }

  /// A view, and twelve to twenty-four bytes of slots.
  static constexpr std::uint64_t kSeenBytes = sizeof(std::string_view) + 24;
  TextNumbers seen_;
  std::string key_;
  std::string scratch_;
};

}  // namespace

bool is_empty_value(const Value& value) {
  if (value.is_missing() || value.type == ValueType::empty_object) return true;
  if (value.type == ValueType::text || value.type == ValueType::bytes) return value.text.empty();
  return value.type == ValueType::list && value.text == "[]";
}

std::unique_ptr<StatAccumulator> make_count_accumulator(const Aggregate& aggregate) {
  if (aggregate.kind == StatKind::rate) return std::make_unique<RateAccumulator>();
  if (aggregate.kind == StatKind::count_uniq) return std::make_unique<DistinctAccumulator>();
  return std::make_unique<CountAccumulator>(aggregate.kind == StatKind::count_empty);
}

}  // namespace dendro
