// What changed between two windows of equal length (stats/window_change.h says how).
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "base/hex.h"
#include "codec/canonical_leaf.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"
#include "query/stats/window_change.h"

namespace dendro {
namespace {

double rounded(double number) {
  return std::round(number * 1e4) / 1e4;
}

class CompareOperator final : public Operator {
 public:
  CompareOperator(OperatorPtr input, const ComparePipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)),
        is_by_template_(pipe.name.empty()),
        step_(step),
        field_(is_by_template_ ? "body" : pipe.name, step.input),
        rule_(order_rule_of(pipe.name)),
        context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && take(*rows)) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    return std::optional<RowBatch>(make_table());
  }

 private:
  struct Entry {
    Cell value;
    std::uint64_t hits = 0, before = 0;
  };
  struct Finding {
    const std::string* key = nullptr;
    const Entry* entry = nullptr;
    SortValue order;
    WindowFinding found;
  };

  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Timestamp time = rows.records[i].position().timestamp;
      const bool is_now = step_.compare.window.contains(time);
      if (!is_now && !step_.compare.before.contains(time)) continue;
      const Value value = field_.read(rows, i);
      if (is_by_template_ ? value.type != ValueType::text : value.is_missing()) continue;
      const auto [entry, is_new] =
          entries_.try_emplace(is_by_template_ ? canonical_leaf(value.text) : std::string(value_text(value, scratch_)));
      if (is_new) {
        if (!is_by_template_) entry->second.value = Cell(value);
        context_.charge(2 * entry->first.size() + sizeof(Entry) + sizeof(Finding) + 64);
        if (entries_.size() > context_.limits.groups_max) return stop();
      }
      (is_now ? entry->second.hits : entry->second.before) += rows.records[i].weight;
    }
    return !context_.is_stopped();
  }
  bool stop() {
    context_.warn_once(
        {"group_limit", "compare counts at most " + std::to_string(context_.limits.groups_max) + " values", 0, 0});
    context_.stop(StopReason::memory);
    return false;
  }

  std::vector<Finding> findings() const {
    constexpr double kEqualLengths = 0.5;
    std::vector<Finding> all;
    std::vector<WindowCounts> counts;
    for (const auto& [key, entry] : entries_) {
      const SortValue order(is_by_template_ ? Value::of_text(key) : entry.value.value(), rule_);
      all.push_back({&key, &entry, order, {}});
      counts.push_back({entry.hits, entry.before});
    }
    const std::vector<WindowFinding> found = find_changes(counts, kEqualLengths);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].found = found[i];
    return all;
  }

  /// The surest first. Columns as the planner names them.
  RowBatch make_table() const {
    std::vector<Finding> all = findings();
    std::sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) {
      const double by_q = rounded(a.found.q) - rounded(b.found.q);
      if (by_q != 0) return by_q < 0;
      const double by_effect = std::fabs(a.found.effect) - std::fabs(b.found.effect);
      if (by_effect != 0) return by_effect > 0;
      const auto order = a.order <=> b.order;
      return order != 0 ? order < 0 : *a.key < *b.key;
    });
    RowBatch out;
    for (const Finding& finding : all) {
      if (finding.found.change == WindowChange::same) continue;
      TableRow& row = out.table.emplace_back();
      if (is_by_template_) {
        std::string shown = *finding.key;
        std::erase(shown, kSoftMark);
        row.emplace_back(Value::of_text(to_hex16(leaf_id(*finding.key, kLeafIdSeed))));
        row.emplace_back(Value::of_text(shown));
      } else {
        row.push_back(finding.entry->value);
      }
      row.emplace_back(Value::of_text(window_change_name(finding.found.change)));
      row.emplace_back(Number::of_uint64(finding.entry->hits).to_value());
      row.emplace_back(Number::of_uint64(finding.entry->before).to_value());
      row.emplace_back(Value::of_float64(rounded(finding.found.effect)));
      row.emplace_back(Value::of_float64(rounded(finding.found.q)));
    }
    return out;
  }

  OperatorPtr input_;
  const bool is_by_template_;
  const QueryStep& step_;
  RowField field_;
  const OrderRule rule_;
  QueryContext& context_;
  std::unordered_map<std::string, Entry> entries_;  ///< by leaf, or by text
  std::string scratch_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_compare_operator(OperatorPtr input, const ComparePipe& pipe, const QueryStep& step,
                                  QueryContext& context) {
  return std::make_unique<CompareOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
