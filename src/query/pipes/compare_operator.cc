// What changed between two windows of equal length.
//
// Method (diagnosis.md 5.3): given the total of both windows, the count of the later one is binomial with share 1/2 if
// nothing changed. p is two-sided, q is p after Benjamini and Hochberg over all that was counted. "up" and "down" need
// q < 0.05 and a doubling or halving; what stands in one window only is "new" or "gone" whatever its q.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "base/hex.h"
#include "codec/canonical_leaf.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"

namespace dendro {
namespace {

constexpr double kSignificantBelow = 0.05;
constexpr double kEffectMin = 1;  ///< log2: twice, half
constexpr std::uint64_t kExactTrialsMax = 1'000;

/// P(X >= hits) of X binomial with share 1/2: summed up to kExactTrialsMax, beyond by the normal distribution with
/// correction for continuity.
double upper_tail(std::uint64_t hits, std::uint64_t trials) {
  if (hits == 0) return 1;
  const auto n = static_cast<double>(trials);
  if (trials > kExactTrialsMax) {
    const double z = (static_cast<double>(hits) - 0.5 - n / 2) / std::sqrt(n / 4);
    return 0.5 * std::erfc(z / std::sqrt(2.0));
  }
  double sum = 0;
  for (std::uint64_t k = hits; k <= trials; ++k) {
    const auto x = static_cast<double>(k);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) - n * std::log(2.0));
  }
  return std::min(sum, 1.0);
}

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
    double p = 1, q = 1, effect = 0;
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
    std::vector<Finding> all;
    for (const auto& [key, entry] : entries_) {
      Finding& finding = all.emplace_back();
      finding.key = &key;
      finding.entry = &entry;
      finding.order = SortValue(is_by_template_ ? Value::of_text(key) : entry.value.value(), rule_);
      const std::uint64_t more = std::max(entry.hits, entry.before);
      finding.p = std::min(1.0, 2 * upper_tail(more, entry.hits + entry.before));
      finding.effect = std::log2((static_cast<double>(entry.hits) + 0.5) / (static_cast<double>(entry.before) + 0.5));
    }
    // Benjamini and Hochberg: from the greatest p down, the least of p * m / rank.
    std::sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) { return a.p < b.p; });
    double least = 1;
    for (std::size_t rank = all.size(); rank > 0; --rank) {
      least = std::min(least, all[rank - 1].p * static_cast<double>(all.size()) / static_cast<double>(rank));
      all[rank - 1].q = least;
    }
    return all;
  }

  static std::string_view change_of(const Finding& finding) {
    if (finding.entry->before == 0) return "new";
    if (finding.entry->hits == 0) return "gone";
    if (finding.q >= kSignificantBelow || std::fabs(finding.effect) < kEffectMin) return "";
    return finding.effect > 0 ? "up" : "down";
  }

  /// The surest first. Columns as the planner names them.
  RowBatch make_table() const {
    std::vector<Finding> all = findings();
    std::sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) {
      const double by_q = rounded(a.q) - rounded(b.q);
      if (by_q != 0) return by_q < 0;
      const double by_effect = std::fabs(a.effect) - std::fabs(b.effect);
      if (by_effect != 0) return by_effect > 0;
      const auto order = a.order <=> b.order;
      return order != 0 ? order < 0 : *a.key < *b.key;
    });
    RowBatch out;
    for (const Finding& finding : all) {
      const std::string_view change = change_of(finding);
      if (change.empty()) continue;
      TableRow& row = out.table.emplace_back();
      if (is_by_template_) {
        std::string shown = *finding.key;
        std::erase(shown, kSoftMark);
        row.emplace_back(Value::of_text(to_hex16(leaf_id(*finding.key, kLeafIdSeed))));
        row.emplace_back(Value::of_text(shown));
      } else {
        row.push_back(finding.entry->value);
      }
      row.emplace_back(Value::of_text(change));
      row.emplace_back(Number::of_uint64(finding.entry->hits).to_value());
      row.emplace_back(Number::of_uint64(finding.entry->before).to_value());
      row.emplace_back(Value::of_float64(rounded(finding.effect)));
      row.emplace_back(Value::of_float64(rounded(finding.q)));
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
