#include <deque>
#include <unordered_map>

#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"
#include "query/stats/stat_groups.h"

namespace dendro {
namespace {

void set_results(const std::vector<Aggregate>& aggregates, const std::vector<Cell>& cells, RowEdits& edits) {
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    Value value = cells[i].value();
    value.text = edits.keep(value.text);
    edits.set(aggregates[i].column, value);
  }
}

/// `streamstats`: the results of the row's group over the rows so far.
class RunningStatsEditor final : public RowEditor {
 public:
  RunningStatsEditor(const WithStatsPipe& pipe, const QueryStep& step, QueryContext& context)
      : pipe_(pipe), groups_(pipe.stats, step.stats, step.input, context) {}
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    StatGroups::Group* group = groups_.find(rows, index);
    if (group == nullptr || !groups_.add_to(*group, rows, index)) return;
    set_results(pipe_.stats.aggregates, groups_.results(*group), edits);
  }

 private:
  const WithStatsPipe& pipe_;
  StatGroups groups_;
};

/// `streamstats window n`: the results over the last n rows of the group, worked out anew for each row.
class WindowStatsEditor final : public RowEditor {
 public:
  WindowStatsEditor(const WithStatsPipe& pipe, const QueryStep& step, QueryContext& context)
      : pipe_(pipe),
        shape_(step.input),
        context_(context),
        groups_(keys_only(pipe.stats), step.stats, step.input, context) {
    for (const Aggregate& aggregate : pipe_.stats.aggregates) {
      Function& function = functions_.emplace_back();
      for (const std::string& field : aggregate.fields) function.fields.emplace_back(field, shape_);
      if (aggregate.condition) function.condition = compile_filter(*aggregate.condition);
    }
  }

  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const StatGroups::Group* group = groups_.find(rows, index);
    if (group == nullptr) return;
    std::deque<Kept>& window = windows_[group];
    window.push_back(keep(rows, index));
    context_.charge(window.back().bytes);
    if (window.size() > pipe_.window) {
      context_.release(window.front().bytes);
      window.pop_front();
    }
    set_results(pipe_.stats.aggregates, results(window), edits);
  }

 private:
  struct Function {
    std::deque<RowField> fields;
    std::shared_ptr<const CompiledFilter> condition;
  };
  /// What the functions see of a row.
  struct Kept {
    std::vector<std::vector<Cell>> values;  ///< a function
    std::vector<bool> counts;
    RecordPosition position;
    std::uint64_t bytes = 0;
  };
  static StatsPipe keys_only(const StatsPipe& pipe) { return {pipe.groups, {}}; }

  Kept keep(const RowBatch& rows, std::size_t index) {
    Kept kept;
    kept.position =
        shape_.is_table ? RecordPosition{Timestamp(ordinal_++), SequenceNumber(0)} : rows.records[index].position();
    kept.bytes = sizeof(Kept) + 64;
    for (Function& function : functions_) {
      kept.counts.push_back(function.condition == nullptr ||
                            function.condition->matches(RowSource(shape_, rows, index)));
      std::vector<Cell>& values = kept.values.emplace_back();
      for (RowField& field : function.fields) {
        values.emplace_back(field.read(rows, index));
        kept.bytes += values.back().bytes();
      }
    }
    return kept;
  }

  std::vector<Cell> results(const std::deque<Kept>& window) {
    std::vector<Cell> cells;
    std::vector<Value> values;
    for (std::size_t f = 0; f < functions_.size(); ++f) {
      const auto accumulator = make_stat_accumulator(pipe_.stats.aggregates[f], context_.limits);
      for (const Kept& kept : window) {
        if (!kept.counts[f]) continue;
        values.clear();
        for (const Cell& cell : kept.values[f]) values.push_back(cell.value());
        accumulator->add({values, kept.position, 1});
      }
      StatFinish finish;
      cells.push_back(accumulator->finish(finish));
    }
    return cells;
  }

  const WithStatsPipe& pipe_;
  const RowShape shape_;
  QueryContext& context_;
  StatGroups groups_;
  std::deque<Function> functions_;
  std::unordered_map<const StatGroups::Group*, std::deque<Kept>> windows_;
  std::int64_t ordinal_ = 0;
};

/// `eventstats`, once the groups are known.
class GroupResultsEditor final : public RowEditor {
 public:
  GroupResultsEditor(const WithStatsPipe& pipe, std::shared_ptr<StatGroups> groups)
      : pipe_(pipe), groups_(std::move(groups)) {}
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const StatGroups::Group* group = groups_->find(rows, index);
    if (group == nullptr) return;
    const auto [known, is_new] = results_.try_emplace(group);
    if (is_new) known->second = groups_->results(*group);
    set_results(pipe_.stats.aggregates, known->second, edits);
  }

 private:
  const WithStatsPipe& pipe_;
  const std::shared_ptr<StatGroups> groups_;
  std::unordered_map<const StatGroups::Group*, std::vector<Cell>> results_;
};

}  // namespace

std::unique_ptr<RowEditor> make_running_stats_editor(const WithStatsPipe& pipe, const QueryStep& step,
                                                     QueryContext& context) {
  if (!pipe.is_running) return nullptr;
  if (pipe.window != 0) return std::make_unique<WindowStatsEditor>(pipe, step, context);
  return std::make_unique<RunningStatsEditor>(pipe, step, context);
}
std::unique_ptr<RowEditor> make_group_results_editor(const WithStatsPipe& pipe, std::shared_ptr<StatGroups> groups) {
  return std::make_unique<GroupResultsEditor>(pipe, std::move(groups));
}

}  // namespace dendro
