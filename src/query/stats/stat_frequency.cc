// mode, top_values, entropy, histogram.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "filter/number.h"
#include "query/rows/value_order.h"
#include "query/stats/exact_sum.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

constexpr double kTopValues = 10;

/// Counts every value, by text: exact.
class FrequencyAccumulator final : public StatAccumulator {
 public:
  FrequencyAccumulator(const Aggregate& aggregate, double top)
      : kind_(aggregate.kind), top_(top), rule_(order_rule_of(aggregate.fields[0])) {}
  std::uint64_t add(const StatRow& row) override {
    if (is_empty_value(row.values[0])) return 0;
    key_ = value_text(row.values[0], scratch_);
    const auto [entry, is_new] = entries_.try_emplace(key_);
    entry->second.hits += row.weight;
    total_ += row.weight;
    if (!is_new) return 0;
    entry->second.value = Cell(row.values[0]);
    return 2 * key_.size() + sizeof(Entry) + 64;
  }
  Cell finish(StatFinish&) override {
    if (entries_.empty()) return Cell();
    if (kind_ == StatKind::entropy) return entropy();
    const std::vector<const Entry*> order = by_hits();
    if (kind_ == StatKind::mode) return order[0]->value;
    std::string json = "[";
    for (std::size_t i = 0; i < order.size() && static_cast<double>(i) < top_; ++i) {
      json += i == 0 ? "{\"value\":" : ",{\"value\":";
      append_value_json(json, order[i]->value.value());
      json += ",\"hits\":" + std::to_string(order[i]->hits) + "}";
    }
    return Cell(Value::of_list(json + "]"));
  }

 private:
  struct Entry {
    Cell value;
    std::uint64_t hits = 0;
  };
  /// Most frequent first, then by value.
  std::vector<const Entry*> by_hits() const {
    std::vector<std::pair<SortValue, const std::pair<const std::string, Entry>*>> rows;
    for (const auto& entry : entries_) rows.emplace_back(SortValue(entry.second.value.value(), rule_), &entry);
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
      if (a.second->second.hits != b.second->second.hits) return a.second->second.hits > b.second->second.hits;
      const auto order = a.first <=> b.first;
      return order != 0 ? order < 0 : a.second->first < b.second->first;
    });
    std::vector<const Entry*> order;
    for (const auto& row : rows) order.push_back(&row.second->second);
    return order;
  }
  /// Bits: 0 where all values are one.
  Cell entropy() const {
    RealSum sum;
    for (const auto& [text, entry] : entries_) {
      const long double share = static_cast<long double>(entry.hits) / static_cast<long double>(total_);
      sum.add(-share * std::log2(share));
    }
    return Cell(Value::of_float64(static_cast<double>(std::fabs(sum.total()))));
  }

  const StatKind kind_;
  const double top_;
  const OrderRule rule_;
  std::unordered_map<std::string, Entry> entries_;
  std::uint64_t total_ = 0;
  std::string key_, scratch_;
};

/// Numbers in buckets that begin at 1, 2, 5, 10, 20, 50 .. and their like below 1 and below 0.
class HistogramAccumulator final : public StatAccumulator {
 public:
  std::uint64_t add(const StatRow& row) override {
    const auto number = number_of_value(row.values[0]);
    if (!number) return 0;
    const auto [bucket, is_new] = buckets_.try_emplace(bucket_of(number->to_double()), 0);
    bucket->second += row.weight;
    return is_new ? 64 : 0;
  }
  Cell finish(StatFinish&) override {
    std::string json = "[";
    for (const auto& [key, hits] : buckets_) {
      if (json.size() > 1) json.push_back(',');
      const double near = bound(std::abs(key)), far = bound(std::abs(key) + 1);
      append_bound(json, "{\"from\":", key == 0 ? 0 : key > 0 ? near : -far);
      append_bound(json, ",\"to\":", key == 0 ? 0 : key > 0 ? far : -near);
      json += ",\"hits\":" + std::to_string(hits) + "}";
    }
    return buckets_.empty() ? Cell() : Cell(Value::of_list(json + "]"));
  }

 private:
  static constexpr int kDecades = 300;  ///< below 1; what is nearer to 0 counts as 0
  static double bound(int key) {
    static constexpr double kSteps[] = {1, 2, 5};
    const int step = key - 1;
    const int decade = step / 3 - kDecades;
    const double digit = kSteps[step % 3];
    return decade < 0 ? digit / std::pow(10.0, -decade) : digit * std::pow(10.0, decade);
  }
  /// 0, or the number of the bucket of the magnitude with the sign.
  static int bucket_of(double number) {
    const double magnitude = std::fabs(number);
    if (magnitude < bound(1)) return 0;
    int key = 3 * (static_cast<int>(std::floor(std::log10(magnitude))) + kDecades) + 1;
    while (key > 1 && magnitude < bound(key)) --key;
    while (magnitude >= bound(key + 1)) ++key;
    return number < 0 ? -key : key;
  }
  static void append_bound(std::string& json, std::string_view name, double number) {
    json += name;
    append_value_json(json, Value::of_float64(number));
  }
  std::map<int, std::uint64_t> buckets_;
};

}  // namespace

StatAccumulatorPtr make_frequency_accumulator(const Aggregate& aggregate) {
  if (aggregate.kind == StatKind::histogram) return std::make_unique<HistogramAccumulator>();
  return std::make_unique<FrequencyAccumulator>(aggregate,
                                                aggregate.numbers.empty() ? kTopValues : aggregate.numbers[0]);
}

}  // namespace dendro
