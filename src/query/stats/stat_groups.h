#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filter/compiled_filter.h"
#include "query/plan/query_context.h"
#include "query/plan/query_plan.h"
#include "query/rows/row_field.h"
#include "query/spill/sorted_row.h"
#include "query/stats/stat_accumulator.h"
#include "query/stats/text_numbers.h"

namespace dendro {

class BestRows;
class GroupSpill;
class RowSorter;

/// Rows sorted into the groups of a StatsPipe, one accumulator a function and group. Groups stay where they are. Not
/// thread-safe.
///
/// Where rows may be put aside (docs/limits.md): once memory is half full no new group is made, and rows of groups that
/// are not in memory go to files by the hash of their group. When the input has ended and the groups in memory were
/// handed on, each file's rows are counted in the same way; so a group's rows are all counted in one go, in their
/// order, and no accumulator is ever written down.
class StatGroups {
 public:
  struct Group {
    std::vector<Cell> keys;
    std::vector<std::unique_ptr<StatAccumulator>> accumulators;
  };
  StatGroups(const StatsPipe& pipe, const StatsStep& step, const RowShape& shape, QueryContext& context);
  ~StatGroups();

  /// Counts the row in its groups: one, none if it lacks a key that must be there, several of a window. False once no
  /// more may come in.
  bool add(const RowBatch& rows, std::size_t index);
  /// The row's only group, made if it is new; null if the row has none, or no more may be made.
  Group* find(const RowBatch& rows, std::size_t index);
  /// Counts the row in that group.
  bool add_to(Group& group, const RowBatch& rows, std::size_t index);
  /// What the group's functions give now, in their order. The group stays as it is.
  std::vector<Cell> results(const Group& group);
  /// From now on rows may be put aside, if the query has a place for them. Then groups are only handed on by hand_to().
  void allow_spill();
  /// No more rows come: a group there is even where none came, if it has no keys.
  void end_input();
  /// Hands on some groups, keys and results in a row, and forgets them. False once all are gone.
  Result<bool> hand_to(RowSorter& sorter);
  /// The same of those that may be among the best.
  Result<bool> hand_to(BestRows& best);
  /// The order of the rows handed on: that of StatsStep::best; then that of the keys (query-language.md D10), then of
  /// their texts.
  static RowOrder order_of(const StatsPipe& pipe, const StatsStep& step);
  /// The rows that hand_to() would give if no more came in, in their order; the groups stay. Nothing: there are more
  /// than `rows_max`, or rows were put aside.
  std::optional<std::vector<TableRow>> rows_now(std::size_t rows_max);
  /// Rows were put aside that are not counted yet.
  bool has_rest() const;
  /// Begins with rows that were put aside, once all groups are handed on; false if there are none.
  Result<bool> start_rest();
  /// Counts some of them; false once they are at an end, or no more may come in.
  Result<bool> count_rest();
  /// What went wrong with files when add() said false.
  const std::optional<Error>& spill_error() const { return spill_error_; }
  std::size_t size() const { return groups_.size(); }

 private:
  struct Function {
    std::deque<RowField> fields;
    std::vector<Value> values;
    std::shared_ptr<const CompiledFilter> condition;
    bool passes = true;  ///< of the row at hand
  };
  bool read_keys(const RowBatch& rows, std::size_t index);
  void make_key_text();
  Group* find_group();
  Group* make_group();
  template <typename Take>
  Result<bool> hand_on(Take&& take);
  std::vector<SortValue> sort_keys(const Group& group, const std::vector<Cell>& cells) const;
  /// By the column's number in the table: keys, then results.
  static const Cell& cell_at(const Group& group, const std::vector<Cell>& cells, std::size_t column);
  bool add_to_windows(const RowBatch& rows, std::size_t index);
  bool count(const RowBatch& rows, std::size_t index);
  void read_functions(const RowBatch& rows, std::size_t index);
  bool count_in(Group& group);
  bool must_put_aside() const;
  bool put_aside();
  void stop_without_room(const Error& failure);
  bool count_aside(std::string_view row);

  const StatsPipe pipe_;
  const StatsStep step_;
  const RowShape shape_;
  QueryContext& context_;
  std::deque<RowField> key_fields_;
  std::deque<Function> functions_;
  TextNumbers group_keys_;    ///< numbers the groups made since the last were handed on
  std::deque<Group> groups_;  ///< those not handed on yet
  std::size_t windowed_key_;  ///< the count of keys if none is
  // The row at hand.
  std::vector<Value> key_values_;
  std::vector<std::string> bucket_texts_;
  std::string key_text_;
  std::string scratch_;
  std::string last_key_;
  Group* last_group_ = nullptr;
  RecordPosition position_;
  std::uint64_t weight_ = 1;
  std::uint64_t ordinal_ = 0;
  // Rows put aside.
  std::unique_ptr<GroupSpill> spill_;
  bool is_full_ = false;  ///< until all groups are handed on: a group made later would lack rows
  bool puts_aside_ = false;
  std::optional<Error> spill_error_;
  std::uint64_t charged_bytes_ = 0;
  std::string aside_;
};

}  // namespace dendro
