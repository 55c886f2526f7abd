// What changed between two windows of equal length (stats/window_change.h says how).
//
// States: counting -> testing -> writing -> finished. Counting takes the input; testing asks each value alone, some at
// a time, and judges all of them at its end; writing gives the rows, some at a time.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "base/hex.h"
#include "codec/canonical_leaf.h"
#include "query/pipes/operator.h"
#include "query/pipes/patient_sort.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"
#include "query/stats/window_change.h"

namespace dendro {
namespace {

constexpr std::size_t kTestsAtOnce = 512;  ///< each of up to two thousand steps
constexpr std::size_t kRowsAtOnce = 1'024;

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
        records_of_weeks_(step.compare.weeks.size()),
        context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    RowBatch out;
    switch (state_) {
      case State::counting: {
        DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
        if (!rows || !take(*rows)) begin_tests();
        break;
      }
      case State::testing:
        test_some();
        break;
      case State::writing:
        write_some(out);
        break;
      case State::finished:
        return std::optional<RowBatch>();
    }
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  enum class State : std::uint8_t { counting, testing, writing, finished };
  struct Entry {
    Cell value;
    std::uint64_t hits = 0, before = 0;
    std::vector<std::uint64_t> weeks;  ///< empty: all 0
  };
  struct Tested {
    const std::string* key = nullptr;
    const Entry* entry = nullptr;
    SortValue order;
  };

  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Timestamp time = rows.records[i].position().timestamp;
      if (!is_in_a_window(time)) continue;
      const Value value = field_.read(rows, i);
      if (is_by_template_ ? value.type != ValueType::text : value.is_missing()) continue;
      const auto [entry, is_new] =
          entries_.try_emplace(is_by_template_ ? canonical_leaf(value.text) : std::string(value_text(value, scratch_)));
      if (is_new) {
        if (!is_by_template_) entry->second.value = Cell(value);
        constexpr std::size_t kLater = sizeof(Tested) + sizeof(WindowCounts) + sizeof(WindowFinding) + 16;
        context_.charge(2 * entry->first.size() + sizeof(Entry) + kLater + 64 + 8 * records_of_weeks_.size());
        if (entries_.size() > context_.limits.groups_max) return stop();
      }
      count(entry->second, time, rows.records[i].weight);
    }
    return !context_.is_stopped();
  }
  bool is_in_a_window(Timestamp time) const {
    const CompareStep& windows = step_.compare;
    return windows.window.contains(time) || windows.before.contains(time) ||
           std::any_of(windows.weeks.begin(), windows.weeks.end(),
                       [time](const TimeRange& week) { return week.contains(time); });
  }
  /// In each window that holds the time: the one before may be that of a week ago.
  void count(Entry& entry, Timestamp time, std::uint64_t weight) {
    if (step_.compare.window.contains(time)) entry.hits += weight;
    if (step_.compare.before.contains(time)) entry.before += weight;
    for (std::size_t i = 0; i < records_of_weeks_.size(); ++i) {
      if (!step_.compare.weeks[i].contains(time)) continue;
      entry.weeks.resize(records_of_weeks_.size());
      entry.weeks[i] += weight;
      records_of_weeks_[i] += weight;
    }
  }
  bool stop() {
    context_.warn_once(
        {"group_limit", "compare counts at most " + std::to_string(context_.limits.groups_max) + " values", 0, 0});
    context_.stop(StopReason::memory);
    return false;
  }

  void begin_tests() {
    state_ = State::testing;
    next_ = entries_.begin();
    tested_.reserve(entries_.size());
  }
  void test_some() {
    constexpr double kEqualLengths = 0.5;
    for (std::size_t i = 0; i < kTestsAtOnce && next_ != entries_.end(); ++i, ++next_) {
      const auto& [key, entry] = *next_;
      if (entry.hits == 0 && entry.before == 0) continue;  // of another week only
      tested_.push_back({&key, &entry, SortValue(is_by_template_ ? Value::of_text(key) : entry.value.value(), rule_)});
      counts_.push_back({entry.hits, entry.before, usual_of(entry)});
      findings_.push_back(test_window(counts_.back(), kEqualLengths));
    }
    if (next_ == entries_.end()) judge();
  }
  /// Weeks without a single record are not kept any more, or were not kept yet.
  std::optional<UsualCount> usual_of(const Entry& entry) const {
    std::vector<std::uint64_t> counts;
    for (std::size_t i = 0; i < records_of_weeks_.size(); ++i) {
      if (records_of_weeks_[i] > 0) counts.push_back(entry.weeks.empty() ? 0 : entry.weeks[i]);
    }
    if (counts.empty()) return std::nullopt;
    return UsualCount::of(std::move(counts));
  }

  /// The surest first.
  void judge() {
    order_.resize(tested_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    sort_patiently(order_, [this](std::size_t a, std::size_t b) { return findings_[a].p < findings_[b].p; }, context_);
    judge_windows(counts_, order_, findings_);
    std::erase_if(order_, [this](std::size_t i) { return findings_[i].change == WindowChange::same; });
    const auto is_before = [this](std::size_t a, std::size_t b) {
      const double by_q = rounded(findings_[a].q) - rounded(findings_[b].q);
      if (by_q != 0) return by_q < 0;
      const double by_effect = std::fabs(findings_[a].effect) - std::fabs(findings_[b].effect);
      if (by_effect != 0) return by_effect > 0;
      const auto order = tested_[a].order <=> tested_[b].order;
      return order != 0 ? order < 0 : *tested_[a].key < *tested_[b].key;
    };
    sort_patiently(order_, is_before, context_);
    state_ = State::writing;
  }

  void write_some(RowBatch& out) {
    for (; written_ < order_.size() && out.table.size() < kRowsAtOnce; ++written_) {
      out.table.push_back(make_row(order_[written_]));
    }
    if (written_ == order_.size()) state_ = State::finished;
  }
  /// Columns as the planner names them.
  TableRow make_row(std::size_t index) const {
    const Tested& tested = tested_[index];
    const WindowFinding& finding = findings_[index];
    TableRow row;
    if (is_by_template_) {
      std::string shown = *tested.key;
      std::erase(shown, kSoftMark);
      row.emplace_back(Value::of_text(to_hex16(leaf_id(*tested.key, kLeafIdSeed))));
      row.emplace_back(Value::of_text(shown));
    } else {
      row.push_back(tested.entry->value);
    }
    row.emplace_back(Value::of_text(window_change_name(finding.change)));
    row.emplace_back(Number::of_uint64(tested.entry->hits).to_value());
    row.emplace_back(Number::of_uint64(tested.entry->before).to_value());
    row.emplace_back(Value::of_float64(rounded(finding.effect)));
    row.emplace_back(Value::of_float64(rounded(finding.q)));
    const auto& usual = counts_[index].usual;
    row.push_back(usual ? Cell(Value::of_float64(rounded(usual->median))) : Cell());
    row.push_back(finding.z ? Cell(Value::of_float64(rounded(*finding.z))) : Cell());
    return row;
  }

  using Entries = std::unordered_map<std::string, Entry>;
  OperatorPtr input_;
  const bool is_by_template_;
  const QueryStep& step_;
  RowField field_;
  const OrderRule rule_;
  std::vector<std::uint64_t> records_of_weeks_;
  QueryContext& context_;
  State state_ = State::counting;
  Entries entries_;  ///< by leaf, or by text
  std::string scratch_;
  Entries::const_iterator next_;  ///< testing
  std::vector<Tested> tested_;    ///< the next three go together
  std::vector<WindowCounts> counts_;
  std::vector<WindowFinding> findings_;
  std::vector<std::size_t> order_;  ///< places in them
  std::size_t written_ = 0;
};

}  // namespace

OperatorPtr make_compare_operator(OperatorPtr input, const ComparePipe& pipe, const QueryStep& step,
                                  QueryContext& context) {
  return std::make_unique<CompareOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
