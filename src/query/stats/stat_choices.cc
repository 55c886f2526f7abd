// first, last, values, uniq_values.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/rows/value_order.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

/// The value of the earliest, or latest, row that has one.
class EndAccumulator final : public StatAccumulator {
 public:
  explicit EndAccumulator(bool is_last) : is_last_(is_last) {}
  std::uint64_t add(const StatRow& row) override {
    if (row.values[0].is_missing()) return 0;
    if (place_ && (is_last_ ? row.position < *place_ : *place_ < row.position)) return 0;
    place_ = row.position;
    cell_ = Cell(row.values[0]);
    return 0;
  }
  Cell finish(StatFinish&) override { return cell_; }

 private:
  const bool is_last_;
  std::optional<RecordPosition> place_;
  Cell cell_;
};

Cell list_cell(const std::vector<Cell>& cells) {
  std::string json = "[";
  for (const Cell& cell : cells) {
    if (json.size() > 1) json.push_back(',');
    append_value_json(json, cell.value());
  }
  json.push_back(']');
  return Cell(Value::of_list(json));
}

/// Every value, newest first; of more than the limit the newest stay.
class ValuesAccumulator final : public StatAccumulator {
 public:
  explicit ValuesAccumulator(std::uint64_t values_max) : values_max_(values_max) {}
  std::uint64_t add(const StatRow& row) override {
    if (row.values[0].is_missing()) return 0;
    kept_.emplace_back(row.position, Cell(row.values[0]));
    const std::uint64_t bytes = kept_.back().second.bytes() + sizeof(RecordPosition);
    if (kept_.size() >= 2 * values_max_) cut();
    return bytes;
  }
  Cell finish(StatFinish& finish) override {
    cut();
    finish.was_cut = was_cut_;
    std::vector<Cell> cells;
    for (const auto& [position, cell] : kept_) cells.push_back(cell);
    return list_cell(cells);
  }

 private:
  void cut() {
    std::sort(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return b.first < a.first; });
    if (kept_.size() <= values_max_) return;
    kept_.resize(values_max_);
    was_cut_ = true;
  }
  const std::uint64_t values_max_;
  std::vector<std::pair<RecordPosition, Cell>> kept_;
  bool was_cut_ = false;
};

/// Every distinct value, in sort order; of more than the limit the first ones stay.
class UniqueValuesAccumulator final : public StatAccumulator {
 public:
  UniqueValuesAccumulator(std::uint64_t values_max, OrderRule rule) : values_max_(values_max), rule_(rule) {}
  std::uint64_t add(const StatRow& row) override {
    if (row.values[0].is_missing()) return 0;
    json_.clear();
    append_value_json(json_, row.values[0]);
    const auto [place, is_new] = kept_.try_emplace({SortValue(row.values[0], rule_), json_}, row.values[0]);
    if (!is_new) return 0;
    const std::uint64_t bytes = place->second.bytes() + place->first.first.bytes() + json_.size() + 64;
    if (kept_.size() > values_max_) {
      kept_.erase(std::prev(kept_.end()));
      was_cut_ = true;
      return 0;
    }
    return bytes;
  }
  Cell finish(StatFinish& finish) override {
    finish.was_cut = was_cut_;
    std::vector<Cell> cells;
    for (const auto& [key, cell] : kept_) cells.push_back(cell);
    return list_cell(cells);
  }

 private:
  struct KeyOrder {
    bool operator()(const std::pair<SortValue, std::string>& a, const std::pair<SortValue, std::string>& b) const {
      const auto order = a.first <=> b.first;
      return order != 0 ? order < 0 : a.second < b.second;
    }
  };
  const std::uint64_t values_max_;
  const OrderRule rule_;
  std::map<std::pair<SortValue, std::string>, Cell, KeyOrder> kept_;
  std::string json_;
  bool was_cut_ = false;
};

}  // namespace

std::unique_ptr<StatAccumulator> make_choice_accumulator(const Aggregate& aggregate, const QueryLimits& limits) {
  if (aggregate.kind == StatKind::values) return std::make_unique<ValuesAccumulator>(limits.values_max);
  if (aggregate.kind == StatKind::uniq_values) {
    return std::make_unique<UniqueValuesAccumulator>(limits.values_max, order_rule_of(aggregate.fields[0]));
  }
  return std::make_unique<EndAccumulator>(aggregate.kind == StatKind::last);
}

}  // namespace dendro
