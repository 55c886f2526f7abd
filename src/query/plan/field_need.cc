#include "query/plan/field_need.h"

#include <algorithm>

#include "query/plan/query_plan.h"

namespace dendro {
namespace {

/// From what is needed behind a pipe to what is needed in front of it.
struct NeedBefore {
  FieldNeed& need;
  /// A new need: nothing behind the pipe sees the records themselves.
  void start() const { need = FieldNeed{false, {}}; }
  void add(const std::optional<Predicate>& filter) const {
    if (filter) need.add(*filter);
  }

  void operator()(const WherePipe& pipe) const { need.add(pipe.filter); }
  void operator()(const FieldsPipe& pipe) const {
    if (!pipe.drops && need.is_all) need = FieldNeed{false, pipe.names};
  }
  void operator()(const LimitPipe&) const {}
  void operator()(const OffsetPipe&) const {}
  void operator()(const SortPipe& pipe) const {
    for (const SortKey& key : pipe.keys) need.add(key.name);
  }
  void operator()(const UniqPipe& pipe) const { by_names(pipe.names); }
  void operator()(const TopPipe& pipe) const { by_names(pipe.names); }
  void operator()(const StatsPipe& pipe) const {
    start();
    add_stats(pipe);
  }
  void operator()(const RenamePipe& pipe) const {
    for (auto item = pipe.items.rbegin(); item != pipe.items.rend(); ++item) {
      need.remove(item->to);
      need.add(item->from);
    }
  }
  void operator()(const EvalPipe& pipe) const {
    for (auto item = pipe.items.rbegin(); item != pipe.items.rend(); ++item) {
      need.remove(item->name);
      need.add(item->expression);
    }
  }
  void operator()(const ExtractPipe& pipe) const { from(pipe); }
  void operator()(const ExtractRegexPipe& pipe) const { from(pipe); }
  void operator()(const UnpackPipe& pipe) const { from(pipe); }
  void operator()(const FormatPipe& pipe) const {
    if (!pipe.condition) need.remove(pipe.to);
    add(pipe.condition);
    for (const PlaceholderText::Place& place : pipe.pattern.places) {
      if (place.is_named()) need.add(place.name);
    }
  }
  void operator()(const ReplacePipe& pipe) const {
    need.add(pipe.at);
    add(pipe.condition);
  }
  void operator()(const UnrollPipe& pipe) const {
    for (const std::string& name : pipe.names) need.add(name);
  }
  void operator()(const JoinPipe& pipe) const {
    for (const std::string& key : pipe.keys) need.add(key);
  }
  void operator()(const UnionPipe&) const {}
  void operator()(const DedupPipe& pipe) const {
    for (const std::string& name : pipe.names) need.add(name);
  }
  void operator()(const SamplePipe&) const {}
  void operator()(const TailPipe&) const {}
  void operator()(const TextPipe& pipe) const {
    need.add(pipe.at);
    add(pipe.condition);
  }
  void operator()(const PackPipe& pipe) const {
    if (pipe.names.empty()) need = FieldNeed();
    for (const NamePattern& name : pipe.names) need.add(name);
  }
  void operator()(const FieldNamesPipe&) const { need = FieldNeed(); }
  void operator()(const FieldValuesPipe& pipe) const { by_names({pipe.name}); }
  void operator()(const PatternPipe& pipe) const {
    by_names({"body", "severity"});
    if (!pipe.by.empty()) need.add(pipe.by);
  }
  void operator()(const FacetsPipe&) const { need = FieldNeed(); }
  void operator()(const ContextPipe&) const { need.remove(kMatchField); }
  void operator()(const FlattenPipe& pipe) const {
    for (const std::string& name : pipe.names) need.add(name);
  }
  void operator()(const LookupPipe& pipe) const {
    for (const LookupPipe::Key& key : pipe.keys) need.add(key.field);
  }
  void operator()(const GeoipPipe& pipe) const {
    need.add(pipe.at);
    add(pipe.condition);
  }
  void operator()(const BlockStatsPipe&) const { by_names({}); }
  void operator()(const TransactionPipe& pipe) const {
    by_names(pipe.names);
    add(pipe.starts);
    add(pipe.ends);
  }
  void operator()(const WithStatsPipe& pipe) const {
    for (const Aggregate& aggregate : pipe.stats.aggregates) need.remove(aggregate.column);
    add_stats(pipe.stats);
  }
  void operator()(const DeltaPipe& pipe) const {
    need.remove(pipe.to);
    need.add(pipe.field);
    for (const std::string& name : pipe.names) need.add(name);
  }
  void operator()(const TimechartPipe& pipe) const {
    start();
    add_stats(pipe.stats);
  }
  void operator()(const ComparePipe& pipe) const { by_names({pipe.name.empty() ? "body" : pipe.name}); }
  void operator()(const HistogramPipe& pipe) const { by_names({pipe.name}); }
  void operator()(const StreamsPipe&) const { by_names({"_stream", "_time"}); }
  // Of tables.
  void operator()(const FillGapsPipe&) const {}
  void operator()(const SeriesPipe&) const {}
  void operator()(const CorrelatePipe&) const {}

 private:
  void add_stats(const StatsPipe& pipe) const {
    for (const GroupKey& key : pipe.groups) need.add(key.name);
    for (const Aggregate& aggregate : pipe.aggregates) {
      for (const std::string& field : aggregate.fields) need.add(field);
      add(aggregate.condition);
    }
  }
  void by_names(const std::vector<std::string>& names) const {
    start();
    for (const std::string& name : names) need.add(name);
  }
  template <typename FromPipe>
  void from(const FromPipe& pipe) const {
    need.add(pipe.from);
    add(pipe.condition);
  }
};

FieldNeed need_of_answer(const RowShape& output) {
  if (output.is_table || output.kept() == nullptr) return FieldNeed();
  return FieldNeed{false, output.kept_names()};
}

}  // namespace

void FieldNeed::add(std::string_view name) {
  if (is_all) return;
  const bool is_known =
      std::any_of(names.begin(), names.end(), [name](const NamePattern& known) { return known.matches(name); });
  if (!is_known) names.push_back({std::string(name), false});
}

void FieldNeed::add(const NamePattern& name) {
  if (!is_all && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

void FieldNeed::add(const Predicate& filter) {
  for_each_field(filter, [this](std::string_view field) {
    if (field.empty()) is_all = true;  // any stored value
    add(field);
  });
}

void FieldNeed::add(const Expression& expression) {
  if (expression.kind == Expression::Kind::field) add(expression.text);
  if (expression.condition) add(*expression.condition);
  for (const Expression& operand : expression.operands) add(operand);
}

void FieldNeed::remove(std::string_view name) {
  std::erase_if(names, [name](const NamePattern& known) { return !known.is_prefix && known.name == name; });
}

FieldNeed fields_needed_from(const QueryPlan& plan, std::size_t first_step) {
  FieldNeed need = need_of_answer(plan.output);
  for (std::size_t step = plan.steps.size(); step > first_step; --step)
    std::visit(NeedBefore{need}, plan.steps[step - 1].pipe);
  return need;
}

void assign_needs(QueryPlan& plan) {
  FieldNeed need = need_of_answer(plan.output);
  for (std::size_t step = plan.steps.size(); step > 0; --step) {
    plan.steps[step - 1].need = need;
    std::visit(NeedBefore{need}, plan.steps[step - 1].pipe);
  }
}

void add_names_read(const Expression& expression, std::vector<std::string>& names) {
  if (expression.kind == Expression::Kind::field) names.push_back(expression.text);
  if (expression.condition) {
    for_each_field(*expression.condition, [&names](std::string_view field) { names.emplace_back(field); });
  }
  for (const Expression& operand : expression.operands) add_names_read(operand, names);
}

}  // namespace dendro
