#include "query/stats/stat_groups.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "query/expression/bucket_value.h"
#include "query/rows/value_order.h"

namespace dendro {
namespace {

/// How a key's value looks in JSON; equal texts of both kinds become one group and print as text.
bool prints_quoted(const Value& value) {
  return value.is_string();
}

}  // namespace

StatGroups::StatGroups(const StatsPipe& pipe, const StatsStep& step, const RowShape& shape, QueryContext& context)
    : pipe_(pipe), step_(step), shape_(shape), context_(context), windowed_key_(pipe.groups.size()) {
  for (std::size_t k = 0; k < pipe_.groups.size(); ++k) {
    key_fields_.emplace_back(pipe_.groups[k].name, shape_);
    if (pipe_.groups[k].window_ns != 0) windowed_key_ = k;
  }
  for (const Aggregate& aggregate : pipe_.aggregates) {
    Function& function = functions_.emplace_back();
    for (const std::string& field : aggregate.fields) function.fields.emplace_back(field, shape_);
    function.values.resize(aggregate.fields.size());
    if (aggregate.condition) function.condition = compile_filter(*aggregate.condition);
  }
  bucket_texts_.resize(pipe_.groups.size());
  key_values_.resize(pipe_.groups.size());
}

bool StatGroups::add(const RowBatch& rows, std::size_t index) {
  if (!read_keys(rows, index)) return true;
  if (windowed_key_ < key_values_.size()) return add_to_windows(rows, index);
  make_key_text();
  Group* group = find_group();
  return group != nullptr && add_to(*group, rows, index);
}

StatGroups::Group* StatGroups::find(const RowBatch& rows, std::size_t index) {
  if (!read_keys(rows, index)) return nullptr;
  make_key_text();
  return find_group();
}

/// Every bucket t whose (t - window, t] holds the row's time, as far as t lies in the range of the query.
bool StatGroups::add_to_windows(const RowBatch& rows, std::size_t index) {
  const GroupKey& key = pipe_.groups[windowed_key_];
  const Value start = key_values_[windowed_key_];
  const Value own = key_fields_[windowed_key_].read(rows, index);
  if (start.type != ValueType::time) return true;
  const std::int64_t instant = own.type == ValueType::time ? own.integer : start.integer;
  std::int64_t bucket = start.integer;
  if (bucket < instant && __builtin_add_overflow(bucket, key.bucket.width_ns, &bucket)) return true;
  while (bucket - instant < key.window_ns && Timestamp(bucket) <= step_.range.last) {
    key_values_[windowed_key_] = Value::of_time(Timestamp(bucket), 9);
    make_key_text();
    Group* group = find_group();
    if (group == nullptr || !add_to(*group, rows, index)) return false;
    if (__builtin_add_overflow(bucket, key.bucket.width_ns, &bucket)) break;
  }
  return true;
}

/// Fills key_values_; false if the row is left out.
bool StatGroups::read_keys(const RowBatch& rows, std::size_t index) {
  for (std::size_t k = 0; k < key_fields_.size(); ++k) {
    key_values_[k] =
        bucket_value(pipe_.groups[k].bucket, key_fields_[k].read(rows, index), *step_.zone, bucket_texts_[k]);
    if (key_values_[k].is_missing() && step_.leaves_out_missing) return false;
  }
  return true;
}

void StatGroups::make_key_text() {
  key_text_.clear();
  for (const Value& value : key_values_) {
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
}

StatGroups::Group* StatGroups::find_group() {
  if (last_group_ != nullptr && key_text_ == last_key_) return last_group_;
  const auto known = groups_.find(key_text_);
  Group* group = known == groups_.end() ? make_group() : &known->second;
  if (group == nullptr) return nullptr;
  last_key_ = key_text_;
  last_group_ = group;
  return group;
}

StatGroups::Group* StatGroups::make_group() {
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

bool StatGroups::add_to(Group& group, const RowBatch& rows, std::size_t index) {
  for (std::size_t k = 0; k < group.keys.size(); ++k) {
    const Value& value = key_values_[k];
    if (value.is_missing() || prints_quoted(group.keys[k].value()) || !prints_quoted(value)) continue;
    std::string text;
    append_value_text(text, value);
    group.keys[k] = Cell(Value::of_text(text));
  }
  const RecordPosition position =
      shape_.is_table ? RecordPosition{Timestamp(static_cast<std::int64_t>(ordinal_)), SequenceNumber(0)}
                      : rows.records[index].position();
  const std::uint64_t weight = shape_.is_table ? 1 : rows.records[index].weight;
  ++ordinal_;
  std::uint64_t bytes = 0;
  for (std::size_t f = 0; f < functions_.size(); ++f) {
    Function& function = functions_[f];
    if (function.condition != nullptr && !function.condition->matches(RowSource(shape_, rows, index))) continue;
    for (std::size_t i = 0; i < function.fields.size(); ++i) function.values[i] = function.fields[i].read(rows, index);
    bytes += group.accumulators[f]->add({function.values, position, weight});
  }
  return bytes == 0 || context_.charge(bytes);
}

std::vector<Cell> StatGroups::results(const Group& group) {
  double seconds = 0;
  for (std::size_t k = 0; k < group.keys.size() && seconds == 0; ++k) {
    const GroupKey& key = pipe_.groups[k];
    seconds = key.window_ns != 0 ? static_cast<double>(key.window_ns) / 1e9
                                 : bucket_seconds(key.bucket, group.keys[k].value(), *step_.zone);
  }
  const bool is_bounded = step_.range.first != kTimestampMin && step_.range.last != kTimestampMax;
  if (seconds == 0 && is_bounded) {
    seconds = (static_cast<double>(step_.range.last.number()) - static_cast<double>(step_.range.first.number())) / 1e9;
  }
  std::vector<Cell> cells;
  for (std::size_t f = 0; f < group.accumulators.size(); ++f) {
    StatFinish finish{seconds};
    cells.push_back(group.accumulators[f]->finish(finish));
    const std::string& column = pipe_.aggregates[f].column;
    if (finish.is_approximate) context_.approximate.insert(column);
    if (finish.was_cut) {
      context_.warn_once({"values_limit",
                          "\"" + column + "\" keeps at most " + std::to_string(context_.limits.values_max) + " values",
                          0, 0});
    }
  }
  return cells;
}

std::vector<TableRow> StatGroups::finish() {
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
  std::vector<TableRow> table;
  for (Row& row : rows) {
    std::vector<Cell> cells = results(*row.group);
    TableRow& out = table.emplace_back(std::move(row.group->keys));
    std::move(cells.begin(), cells.end(), std::back_inserter(out));
  }
  return table;
}

}  // namespace dendro
