#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "filter/compiled_filter.h"
#include "query/plan/query_context.h"
#include "query/plan/query_plan.h"
#include "query/rows/row_field.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {

/// Rows sorted into the groups of a StatsPipe, one accumulator a function and group. Groups stay where they are. Not
/// thread-safe.
class StatGroups {
 public:
  struct Group {
    std::vector<Cell> keys;
    std::vector<std::unique_ptr<StatAccumulator>> accumulators;
  };
  StatGroups(const StatsPipe& pipe, const StatsStep& step, const RowShape& shape, QueryContext& context);

  /// Counts the row in its groups: one, none if it lacks a key that must be there, several of a window. False once no
  /// more may come in.
  bool add(const RowBatch& rows, std::size_t index);
  /// The row's only group, made if it is new; null if the row has none, or no more may be made.
  Group* find(const RowBatch& rows, std::size_t index);
  /// Counts the row in that group.
  bool add_to(Group& group, const RowBatch& rows, std::size_t index);
  /// What the group's functions give now, in their order. The group stays as it is.
  std::vector<Cell> results(const Group& group);
  /// A row a group, keys and results, in the order of the keys (query-language.md D10). Takes the keys out.
  std::vector<TableRow> finish();
  std::size_t size() const { return groups_.size(); }

 private:
  struct Function {
    std::deque<RowField> fields;
    std::vector<Value> values;
    std::shared_ptr<const CompiledFilter> condition;
  };
  bool read_keys(const RowBatch& rows, std::size_t index);
  void make_key_text();
  Group* find_group();
  Group* make_group();
  bool add_to_windows(const RowBatch& rows, std::size_t index);

  const StatsPipe pipe_;
  const StatsStep step_;
  const RowShape shape_;
  QueryContext& context_;
  std::deque<RowField> key_fields_;
  std::deque<Function> functions_;
  std::unordered_map<std::string, Group> groups_;
  std::size_t windowed_key_;  ///< the count of keys if none is
  // The row at hand.
  std::vector<Value> key_values_;
  std::vector<std::string> bucket_texts_;
  std::string key_text_;
  std::string scratch_;
  std::string last_key_;
  Group* last_group_ = nullptr;
  std::uint64_t ordinal_ = 0;
};

}  // namespace dendro
