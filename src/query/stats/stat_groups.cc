#include "query/stats/stat_groups.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "query/expression/bucket_value.h"
#include "query/rows/value_order.h"
#include "query/spill/best_rows.h"
#include "query/spill/cell_bytes.h"
#include "query/spill/row_sorter.h"
#include "query/stats/group_spill.h"

namespace dendro {
namespace {

constexpr std::size_t kGroupsAtOnce = 1'024;
constexpr std::size_t kAsideRowsAtOnce = 2'048;

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

StatGroups::~StatGroups() = default;

void StatGroups::allow_spill() {
  if (context_.spill.is_there() && !pipe_.groups.empty()) spill_ = std::make_unique<GroupSpill>(context_);
}

bool StatGroups::add(const RowBatch& rows, std::size_t index) {
  if (!read_keys(rows, index)) return true;
  if (windowed_key_ < key_values_.size()) return add_to_windows(rows, index);
  return count(rows, index);
}

/// The row in the group that key_values_ says.
bool StatGroups::count(const RowBatch& rows, std::size_t index) {
  make_key_text();
  Group* group = find_group();
  if (group != nullptr) return add_to(*group, rows, index);
  if (!puts_aside_) return false;
  read_functions(rows, index);
  return put_aside();
}

StatGroups::Group* StatGroups::find(const RowBatch& rows, std::size_t index) {
  if (!read_keys(rows, index)) return nullptr;
  make_key_text();
  return find_group();
}

/// Every bucket t whose (t - offset - window, t - offset] holds the row's time, as far as t lies in the range of the
/// query.
bool StatGroups::add_to_windows(const RowBatch& rows, std::size_t index) {
  const GroupKey& key = pipe_.groups[windowed_key_];
  const Value own = key_fields_[windowed_key_].read(rows, index);
  std::int64_t instant = 0;
  if (own.type != ValueType::time || __builtin_add_overflow(own.integer, key.offset_ns, &instant)) return true;
  const Value start =
      bucket_value(key.bucket, Value::of_time(Timestamp(instant), 9), *step_.zone, bucket_texts_[windowed_key_]);
  std::int64_t bucket = start.integer;
  if (bucket < instant && __builtin_add_overflow(bucket, key.bucket.width_ns, &bucket)) return true;
  while (bucket - instant < key.window_ns && Timestamp(bucket) <= step_.range.last) {
    key_values_[windowed_key_] = Value::of_time(Timestamp(bucket), 9);
    if (step_.range.first <= Timestamp(bucket) && !count(rows, index)) return false;
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
  const auto [number, is_new] = group_keys_.add(key_text_);
  Group* group = is_new ? make_group() : &groups_[number];
  if (group == nullptr) {
    group_keys_.remove_last();
    return nullptr;
  }
  last_key_ = key_text_;
  last_group_ = group;
  return group;
}

bool StatGroups::must_put_aside() const {
  if (spill_ == nullptr || groups_.empty() || !spill_->may_put()) return false;
  return is_full_ || groups_.size() >= context_.limits.groups_max || context_.should_spill(charged_bytes_);
}

/// The group whose key was numbered last. Null where no more may be made; puts_aside_ says whether the row can wait.
StatGroups::Group* StatGroups::make_group() {
  puts_aside_ = is_full_ = must_put_aside();
  if (puts_aside_) return nullptr;
  if (groups_.size() >= context_.limits.groups_max && spill_ == nullptr) {
    context_.warn_once(
        {"group_limit", "stats keeps at most " + std::to_string(context_.limits.groups_max) + " groups", 0, 0});
    context_.stop(StopReason::memory);
    return nullptr;
  }
  Group& group = groups_.emplace_back();
  std::uint64_t bytes = sizeof(Group) + 2 * key_text_.size() + 64;
  for (const Value& value : key_values_) {
    group.keys.emplace_back(value);
    bytes += group.keys.back().bytes();
  }
  for (const Aggregate& aggregate : pipe_.aggregates)
    group.accumulators.push_back(make_stat_accumulator(aggregate, context_.limits));
  bytes += 96 * pipe_.aggregates.size();
  if (!context_.take(bytes)) {
    if (spill_ != nullptr && spill_->may_put() && context_.may_spill(charged_bytes_)) {
      context_.release(bytes);
      groups_.pop_back();
      puts_aside_ = is_full_ = true;
      return nullptr;
    }
    context_.stop(StopReason::memory);
  }
  charged_bytes_ += bytes;
  return &group;
}

bool StatGroups::add_to(Group& group, const RowBatch& rows, std::size_t index) {
  read_functions(rows, index);
  return count_in(group);
}

/// What the functions see of the row: good until the next one.
void StatGroups::read_functions(const RowBatch& rows, std::size_t index) {
  position_ = shape_.is_table ? RecordPosition{Timestamp(static_cast<std::int64_t>(ordinal_)), SequenceNumber(0)}
                              : rows.records[index].position();
  weight_ = shape_.is_table ? 1 : rows.records[index].weight;
  ++ordinal_;
  for (Function& function : functions_) {
    function.passes = function.condition == nullptr || function.condition->matches(RowSource(shape_, rows, index));
    if (!function.passes) continue;
    for (std::size_t i = 0; i < function.fields.size(); ++i) function.values[i] = function.fields[i].read(rows, index);
  }
}

bool StatGroups::count_in(Group& group) {
  for (std::size_t k = 0; k < group.keys.size(); ++k) {
    const Value& value = key_values_[k];
    if (value.is_missing() || prints_quoted(group.keys[k].value()) || !prints_quoted(value)) continue;
    std::string text;
    append_value_text(text, value);
    group.keys[k] = Cell(Value::of_text(text));
  }
  std::uint64_t bytes = 0;
  for (std::size_t f = 0; f < functions_.size(); ++f) {
    if (functions_[f].passes) bytes += group.accumulators[f]->add({functions_[f].values, position_, weight_});
  }
  charged_bytes_ += bytes;
  return bytes == 0 || context_.charge(bytes);
}

/// A row put aside: time i64, sequence u64, weight varint, the keys, then of each function a byte whether the row
/// counts for it and if so its values.
bool StatGroups::put_aside() {
  aside_.clear();
  append_le(aside_, position_.timestamp.number());
  append_le(aside_, position_.sequence.number());
  append_varint(aside_, weight_);
  for (const Value& value : key_values_) append_value_bytes(aside_, value);
  for (const Function& function : functions_) {
    aside_.push_back(function.passes ? '\1' : '\0');
    if (!function.passes) continue;
    for (const Value& value : function.values) append_value_bytes(aside_, value);
  }
  const Status put = spill_->put(key_text_, aside_);
  if (put) return true;
  if (put.error().code() == ErrorCode::resource_exhausted) {
    stop_without_room(put.error());
  } else {
    spill_error_ = put.error();
  }
  return false;
}

/// Full files are like full memory: what is known so far is the answer.
void StatGroups::stop_without_room(const Error& failure) {
  context_.warn_once({"spill_limit", failure.message(), 0, 0});
  context_.stop(StopReason::memory);
}

bool StatGroups::count_aside(std::string_view row) {
  ByteReader reader(row);
  position_.timestamp = Timestamp(reader.read_le<std::int64_t>());
  position_.sequence = SequenceNumber(reader.read_le<std::uint64_t>());
  weight_ = reader.read_varint();
  for (Value& value : key_values_) value = read_value_bytes(reader);
  for (Function& function : functions_) {
    function.passes = reader.read_le<std::uint8_t>() != 0;
    if (!function.passes) continue;
    for (Value& value : function.values) value = read_value_bytes(reader);
  }
  if (!reader.ok()) {
    spill_error_ = Error(ErrorCode::corruption, "temporary file of the query: a row is cut short");
    return false;
  }
  make_key_text();
  Group* group = find_group();
  if (group != nullptr) return count_in(*group);
  return puts_aside_ && put_aside();
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

void StatGroups::end_input() {
  if (!pipe_.groups.empty() || !groups_.empty()) return;
  key_text_.clear();
  find_group();
}

RowOrder StatGroups::order_of(const StatsPipe& pipe, const StatsStep& step) {
  RowOrder order;
  if (step.best) {
    for (const BestGroups::Key& key : step.best->keys) order.descending.push_back(key.descending);
  }
  order.descending.resize(order.descending.size() + pipe.groups.size(), false);
  return order;
}

const Cell& StatGroups::cell_at(const Group& group, const std::vector<Cell>& cells, std::size_t column) {
  return column < group.keys.size() ? group.keys[column] : cells[column - group.keys.size()];
}

std::vector<SortValue> StatGroups::sort_keys(const Group& group, const std::vector<Cell>& cells) const {
  std::vector<SortValue> keys;
  keys.reserve(group.keys.size() + (step_.best ? step_.best->keys.size() : 0));
  if (step_.best) {
    for (const BestGroups::Key& key : step_.best->keys)
      keys.emplace_back(cell_at(group, cells, key.column).value(), order_rule_of(key.name));
  }
  for (std::size_t k = 0; k < group.keys.size(); ++k)
    keys.emplace_back(group.keys[k].value(), order_rule_of(pipe_.groups[k].name));
  return keys;
}

std::optional<std::vector<TableRow>> StatGroups::rows_now(std::size_t rows_max) {
  if (groups_.size() > rows_max || has_rest()) return std::nullopt;
  std::vector<SortedRow> sorted;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    std::vector<Cell> cells = results(group);
    SortedRow& row = sorted.emplace_back();
    row.tie = group_keys_[static_cast<std::uint32_t>(group_keys_.size() - groups_.size() + i)];
    row.keys = sort_keys(group, cells);
    row.row = group.keys;
    std::move(cells.begin(), cells.end(), std::back_inserter(row.row));
  }
  const RowOrder order = order_of(pipe_, step_);
  std::sort(sorted.begin(), sorted.end(),
            [&order](const SortedRow& a, const SortedRow& b) { return order.comes_before(a, b); });
  std::vector<TableRow> rows;
  for (SortedRow& row : sorted) rows.push_back(std::move(row.row));
  return rows;
}

/// @param take  `(group, its results, make_row) -> Result<bool>`, where `make_row()` gives the group as a row and takes
///              both.
template <typename Take>
Result<bool> StatGroups::hand_on(Take&& take) {
  last_group_ = nullptr;
  for (std::size_t count = 0; count < kGroupsAtOnce && !groups_.empty(); ++count) {
    Group& group = groups_.front();
    std::vector<Cell> cells = results(group);
    const auto make_row = [&] {
      SortedRow row;
      row.tie = group_keys_[static_cast<std::uint32_t>(group_keys_.size() - groups_.size())];
      row.keys = sort_keys(group, cells);
      row.row = std::move(group.keys);
      std::move(cells.begin(), cells.end(), std::back_inserter(row.row));
      return row;
    };
    // Not counted group by group: each gives back its part.
    const std::uint64_t bytes = charged_bytes_ / groups_.size();
    charged_bytes_ -= bytes;
    context_.release(bytes);
    DENDRO_TRY(take(group, cells, make_row));
    groups_.pop_front();
  }
  if (!groups_.empty()) return true;
  group_keys_.clear();
  is_full_ = false;
  return false;
}

Result<bool> StatGroups::hand_to(RowSorter& sorter) {
  return hand_on([&sorter](const Group&, const std::vector<Cell>&, const auto& make_row) {
    return sorter.add(make_row(), nullptr);
  });
}

Result<bool> StatGroups::hand_to(BestRows& best) {
  const BestGroups::Key& first = step_.best->keys.front();
  const OrderRule rule = order_rule_of(first.name);
  return hand_on([&](const Group& group, const std::vector<Cell>& cells, const auto& make_row) -> Result<bool> {
    if (!best.may_want(SortValue(cell_at(group, cells, first.column).value(), rule))) return true;
    SortedRow row = make_row();
    return !best.wants(row) || best.add(std::move(row), nullptr);
  });
}

bool StatGroups::has_rest() const {
  return spill_ != nullptr && spill_->has_more();
}

Result<bool> StatGroups::start_rest() {
  const Result<bool> started = spill_->start_next();
  if (started || started.error().code() != ErrorCode::resource_exhausted) return started;
  stop_without_room(started.error());
  return false;
}

Result<bool> StatGroups::count_rest() {
  for (std::size_t count = 0; count < kAsideRowsAtOnce; ++count) {
    std::string_view row;
    DENDRO_TRY_ASSIGN(const bool is_there, spill_->next_row(row));
    if (!is_there) return false;
    if (count_aside(row)) continue;
    if (spill_error_) return *spill_error_;
    return false;
  }
  return true;
}

}  // namespace dendro
