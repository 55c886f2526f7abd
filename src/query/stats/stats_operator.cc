// stats: groups in a hash table, one accumulator a function and group; rows come out in the order of their keys (D10).
#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/bytes.h"
#include "query/expression/bucket_value.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

constexpr std::size_t kTableRowsAtOnce = 1024;

/// How a key's value looks in JSON; equal texts of both kinds become one group and print as text.
bool prints_quoted(const Value& value) {
  return value.is_string();
}

class StatsOperator final : public Operator {
 public:
  StatsOperator(OperatorPtr input, const StatsPipe& pipe, const StatsStep& step, RowShape shape, QueryContext& context)
      : input_(std::move(input)), pipe_(pipe), step_(step), shape_(std::move(shape)), context_(context) {
    for (const GroupKey& key : pipe_.groups) key_fields_.emplace_back(key.name, shape_);
    for (const Aggregate& aggregate : pipe_.aggregates) {
      Function& function = functions_.emplace_back();
      for (const std::string& field : aggregate.fields) function.fields.emplace_back(field, shape_);
      function.values.resize(aggregate.fields.size());
      if (aggregate.condition) function.condition = compile_filter(*aggregate.condition);
    }
    bucket_texts_.resize(pipe_.groups.size());
    key_values_.resize(pipe_.groups.size());
  }

  Result<std::optional<RowBatch>> next() override {
    if (!is_finished_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      const bool goes_on = rows.has_value() && take(*rows);
      if (goes_on) return std::optional<RowBatch>(RowBatch());
      finish();
    }
    if (handed_on_ >= result_.size()) return std::optional<RowBatch>();
    RowBatch out;
    for (; handed_on_ < result_.size() && out.size() < kTableRowsAtOnce; ++handed_on_) {
      out.table.push_back(std::move(result_[handed_on_]));
    }
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  struct Function {
    std::deque<RowField> fields;
    std::vector<Value> values;
    std::shared_ptr<const CompiledFilter> condition;
  };
  struct Group {
    std::vector<Cell> keys;
    std::vector<std::unique_ptr<StatAccumulator>> accumulators;
  };

  /// False once no more rows may come in.
  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!read_keys(rows, i)) continue;
      Group* group = find_group();
      if (group == nullptr || !add(*group, rows, i)) return false;
      ++ordinal_;
    }
    return true;
  }

  /// Fills key_values_ and key_text_; false if the row is left out.
  bool read_keys(const RowBatch& rows, std::size_t index) {
    key_text_.clear();
    for (std::size_t k = 0; k < key_fields_.size(); ++k) {
      const Value value =
          bucket_value(pipe_.groups[k].bucket, key_fields_[k].read(rows, index), *step_.zone, bucket_texts_[k]);
      if (value.is_missing() && step_.leaves_out_missing) return false;
      key_values_[k] = value;
      if (value.is_missing()) {
        key_text_.push_back('\0');
      } else if (value.type == ValueType::time) {
        key_text_.push_back('\1');
        append_le(key_text_, value.integer);
        key_text_.push_back(static_cast<char>(value.fraction_digits));
      } else {
        key_text_.push_back('\2');
        append_sized(key_text_, value_text(value, scratch_));
      }
    }
    return true;
  }

  Group* find_group() {
    if (last_group_ != nullptr && key_text_ == last_key_) return last_group_;
    const auto known = groups_.find(key_text_);
    Group* group = known == groups_.end() ? make_group() : &known->second;
    if (group == nullptr) return nullptr;
    last_key_ = key_text_;
    last_group_ = group;
    return group;
  }

  Group* make_group() {
    if (groups_.size() >= context_.limits.groups_max) {
      context_.warn_once(
          {"group_limit", "stats keeps at most " + std::to_string(context_.limits.groups_max) + " groups", 0, 0});
      context_.stop(StopReason::memory);
      return nullptr;
    }
    Group& group = groups_[key_text_];
    std::uint64_t bytes = sizeof(Group) + 2 * key_text_.size() + 64;
    for (const Value& value : key_values_) {
      group.keys.emplace_back(value);
      bytes += group.keys.back().bytes();
    }
    for (const Aggregate& aggregate : pipe_.aggregates)
      group.accumulators.push_back(make_stat_accumulator(aggregate, context_.limits));
    bytes += 96 * pipe_.aggregates.size();
    context_.charge(bytes);
    return &group;
  }

  bool add(Group& group, const RowBatch& rows, std::size_t index) {
    for (std::size_t k = 0; k < group.keys.size(); ++k) {
      const Value& value = key_values_[k];
      if (value.is_missing() || prints_quoted(group.keys[k].value()) || !prints_quoted(value)) continue;
      std::string text;
      append_value_text(text, value);
      group.keys[k] = Cell(Value::of_text(text));
    }
    std::uint64_t bytes = 0;
    for (std::size_t f = 0; f < functions_.size(); ++f) {
      Function& function = functions_[f];
      if (function.condition != nullptr && !function.condition->matches(RowSource(shape_, rows, index))) continue;
      for (std::size_t i = 0; i < function.fields.size(); ++i)
        function.values[i] = function.fields[i].read(rows, index);
      bytes += group.accumulators[f]->add({function.values, position_of(rows, index), weight_of(rows, index)});
    }
    return bytes == 0 || context_.charge(bytes);
  }

  std::uint64_t weight_of(const RowBatch& rows, std::size_t index) const {
    return shape_.is_table ? 1 : rows.records[index].weight;
  }
  RecordPosition position_of(const RowBatch& rows, std::size_t index) const {
    if (!shape_.is_table) return rows.records[index].position();
    return {Timestamp(static_cast<std::int64_t>(ordinal_)), SequenceNumber(0)};
  }

  void finish() {
    is_finished_ = true;
    if (pipe_.groups.empty() && groups_.empty()) {
      key_text_.clear();
      make_group();
    }
    struct Row {
      std::vector<SortValue> keys;
      std::string_view key_text;
      Group* group;
    };
    std::vector<Row> rows;
    for (auto& [key_text, group] : groups_) {
      Row row{{}, key_text, &group};
      for (std::size_t k = 0; k < group.keys.size(); ++k)
        row.keys.emplace_back(group.keys[k].value(), order_rule_of(pipe_.groups[k].name));
      rows.push_back(std::move(row));
    }
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      for (std::size_t k = 0; k < a.keys.size(); ++k) {
        if (const auto order = a.keys[k] <=> b.keys[k]; order != 0) return order < 0;
      }
      return a.key_text < b.key_text;
    });
    for (Row& row : rows) result_.push_back(finish_group(*row.group));
  }

  TableRow finish_group(Group& group) {
    double seconds = 0;
    for (std::size_t k = 0; k < group.keys.size() && seconds == 0; ++k) {
      seconds = bucket_seconds(pipe_.groups[k].bucket, group.keys[k].value(), *step_.zone);
    }
    const bool is_bounded = step_.range.first != kTimestampMin && step_.range.last != kTimestampMax;
    if (seconds == 0 && is_bounded) {
      seconds =
          (static_cast<double>(step_.range.last.number()) - static_cast<double>(step_.range.first.number())) / 1e9;
    }
    TableRow row = std::move(group.keys);
    for (std::size_t f = 0; f < group.accumulators.size(); ++f) {
      StatFinish finish{seconds};
      row.push_back(group.accumulators[f]->finish(finish));
      const std::string& column = pipe_.aggregates[f].column;
      if (finish.is_approximate) context_.approximate.insert(column);
      if (finish.was_cut) {
        context_.warn_once(
            {"values_limit",
             "\"" + column + "\" keeps at most " + std::to_string(context_.limits.values_max) + " values", 0, 0});
      }
    }
    return row;
  }

  OperatorPtr input_;
  const StatsPipe pipe_;
  const StatsStep step_;
  const RowShape shape_;
  QueryContext& context_;
  std::deque<RowField> key_fields_;
  std::deque<Function> functions_;
  std::unordered_map<std::string, Group> groups_;
  // The row at hand.
  std::vector<Value> key_values_;
  std::vector<std::string> bucket_texts_;
  std::string key_text_;
  std::string scratch_;
  std::string last_key_;
  Group* last_group_ = nullptr;
  std::uint64_t ordinal_ = 0;
  // The answer.
  bool is_finished_ = false;
  std::vector<TableRow> result_;
  std::size_t handed_on_ = 0;
};

}  // namespace

OperatorPtr make_stats_operator(OperatorPtr input, const StatsPipe& pipe, const StatsStep& step, RowShape shape,
                                QueryContext& context) {
  return std::make_unique<StatsOperator>(std::move(input), pipe, step, std::move(shape), context);
}

}  // namespace dendro
