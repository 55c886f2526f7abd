#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/plan/plan_steps.h"

namespace dendro {

/// Turns pipes into steps one by one, and tells what the rows are behind each.
class StepPlanner {
 public:
  StepPlanner(QueryPlan& plan, QueryFault& fault) : plan_(&plan), fault_(fault) {}

  Status plan(std::size_t first_pipe) {
    DENDRO_TRY(add_steps(first_pipe));
    return add_request_fields();
  }

 private:
  Status add_steps(std::size_t first_pipe) {
    const std::vector<Pipe>& pipes = plan_->parsed.pipes;
    for (pipe_index_ = first_pipe; pipe_index_ < pipes.size(); ++pipe_index_) {
      look_at_uses();
      std::visit([this](const auto& pipe) { add(pipe); }, pipes[pipe_index_]);
      if (refusal_) {
        const QueryPart& word = plan_->parsed.pipe_words[pipe_index_];
        fault_ = fault_at(plan_->request.query, word.offset, word.size, *refusal_);
        return fault_.to_error();
      }
    }
    plan_->output = shape_;
    plan_->limit = plan_->request.limit;
    if (!plan_->limit && !shape_.is_table) plan_->limit = 1000;
    if (plan_->limit == std::uint64_t{0}) plan_->limit.reset();
    return {};
  }

  QueryStep& push_step(Pipe pipe) {
    QueryStep& step = plan_->steps.emplace_back();
    step.pipe = std::move(pipe);
    step.input = shape_;
    return step;
  }
  void add(const WherePipe& pipe) { push_step(pipe).filter = compile_filter(pipe.filter); }
  void add(const LimitPipe& pipe) { push_step(pipe); }
  void add(const OffsetPipe& pipe) { push_step(pipe); }
  void add(const FieldsPipe& pipe) {
    if (!shape_.is_table) {
      push_step(pipe);
      shape_.projections.push_back(pipe);
      return;
    }
    QueryStep& step = push_step(pipe);
    std::vector<std::string> kept;
    const auto keep = [&](std::size_t column) {
      if (std::find(kept.begin(), kept.end(), shape_.columns[column]) != kept.end()) return;
      kept.push_back(shape_.columns[column]);
      step.columns.push_back(column);
    };
    if (pipe.drops) {
      for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
        const bool is_dropped = std::any_of(pipe.names.begin(), pipe.names.end(), [&](const NamePattern& name) {
          return name.matches(shape_.columns[column]);
        });
        if (!is_dropped) keep(column);
      }
    } else {
      for (const NamePattern& name : pipe.names) {
        for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
          if (name.matches(shape_.columns[column])) keep(column);
        }
      }
    }
    shape_.columns = std::move(kept);
  }
  /// Newest first is how records come: such a sort is at most a limit.
  bool is_order_of_scan(const SortPipe& pipe) const {
    return !shape_.is_table && !is_reordered_ && !loses_order_ && pipe.keys.size() == 1 &&
           pipe.keys[0].name == "_time" && pipe.keys[0].descending && plan_->request.order == ScanOrder::newest_first;
  }
  void add(const SortPipe& pipe) {
    if (is_order_of_scan(pipe)) {
      if (pipe.limit) add(LimitPipe{*pipe.limit});
      return;
    }
    keep_best_groups(pipe);
    QueryStep& step = push_step(pipe);
    step.sort.order = plan_->request.order;
    step.sort.ties_by_position = !shape_.is_table && !is_reordered_ && !loses_order_;
    is_reordered_ = true;
  }
  /// A sort with a limit right behind `stats`: it need not put all its groups in order.
  void keep_best_groups(const SortPipe& pipe) {
    constexpr std::uint64_t kBestGroupsMax = 10'000;  // they stay in memory
    if (!pipe.limit || *pipe.limit > kBestGroupsMax || pipe.keys.empty() || plan_->steps.empty()) return;
    QueryStep& stats = plan_->steps.back();
    if (!std::holds_alternative<StatsPipe>(stats.pipe)) return;
    BestGroups best;
    best.count = *pipe.limit;
    for (const SortKey& key : pipe.keys) {
      const std::size_t column = shape_.column_of(key.name);
      if (column == shape_.columns.size()) return;
      best.keys.push_back({column, key.name, key.descending});
    }
    stats.stats.best = std::move(best);
  }
  void add(const StatsPipe& pipe) { add_stats(pipe, false); }
  void add(const UniqPipe& pipe) {
    StatsPipe stats;
    for (const std::string& name : pipe.names) stats.groups.push_back({name, {}, name});
    if (pipe.with_hits) stats.aggregates.push_back(hits());
    add_stats(stats, false);
  }
  /// Rows without the field are left out; `hits` first, then value.
  void add(const TopPipe& pipe) {
    StatsPipe stats;
    SortPipe sort;
    sort.keys.push_back({"hits", !pipe.rarest});
    sort.limit = pipe.count;
    for (const std::string& name : pipe.names) {
      stats.groups.push_back({name, {}, name});
      sort.keys.push_back({name, false});
    }
    stats.aggregates.push_back(hits());
    add_stats(stats, true);
    add(sort);
  }
  void add(const DedupPipe& pipe) { push_step(pipe); }
  void add(const SamplePipe& pipe) { push_step(pipe); }
  void add(const TailPipe& pipe) { push_step(pipe); }
  void add(const TextPipe& pipe) {
    if (!shape_.is_visible(pipe.at)) return;
    add_edit(pipe, pipe.condition, [](RowShape&) {});
  }
  void add(const PackPipe& pipe) {
    add_edit(pipe, std::nullopt, [&pipe](RowShape& shape) { shape.make({pipe.to, false}); });
  }
  void add(const JoinPipe& pipe) {
    const RowShape& right = plan_->subplans[pipe.number].plan->output;
    const bool is_open = !right.is_table && right.kept() == nullptr;
    if (shape_.is_table && is_open) {
      refusal_ = "the columns of a table must be known; end the query of the join with | fields a, b";
      return;
    }
    add_edit(pipe, std::nullopt, [&](RowShape& shape) {
      const auto make = [&](const std::string& name, bool is_prefix) {
        const bool is_key = std::find(pipe.keys.begin(), pipe.keys.end(), name) != pipe.keys.end();
        if (!is_key) shape.make({pipe.prefix + name, is_prefix});
      };
      if (is_open) make("", true);
      for (const std::string& column : right.columns) make(column, false);
      for (const NamePattern& name : right.kept_names()) make(name.name, name.is_prefix);
    });
  }
  void add(const UnionPipe& pipe) {
    const RowShape& other = plan_->subplans[pipe.number].plan->output;
    if (other.is_table != shape_.is_table) {
      refusal_ = "records and rows of a table cannot be joined together; bring both queries to the same form";
      return;
    }
    // What either side hid is gone before they meet.
    if (!shape_.projections.empty()) {
      add_edit(RenamePipe{}, std::nullopt, [](RowShape& shape) { shape = RowShape(); });
    }
    QueryStep& step = push_step(pipe);
    step.merges = !shape_.is_table && !is_reordered_ && !pipe.appends;
    for (const std::string& column : other.columns) shape_.make({column, false});
    step.output = shape_;
    loses_order_ = loses_order_ || !step.merges;
  }
  void add(const FieldValuesPipe& pipe) {
    StatsPipe stats;
    stats.groups.push_back({pipe.name, {}, pipe.name});
    stats.aggregates.push_back(hits());
    add_stats(stats, true);
  }
  // plan_analysis_steps.cc
  void add(const ContextPipe& pipe);
  void add(const FlattenPipe& pipe);
  void add(const LookupPipe& pipe);
  void add(const GeoipPipe& pipe);
  void add(const BlockStatsPipe& pipe);
  void add(const TransactionPipe& pipe);
  void add(const WithStatsPipe& pipe);
  void add(const DeltaPipe& pipe);
  void add(const TimechartPipe& pipe);
  void add(const FillGapsPipe& pipe);
  void add(const ComparePipe& pipe);
  void add(const HistogramPipe& pipe);
  void add(const StreamsPipe& pipe);
  void add(const SeriesPipe& pipe);
  void add(const CorrelatePipe& pipe);
  void push_fill(FillGapsPipe pipe, std::vector<Cell> fillers);
  void order_by_time();
  bool check_columns(std::string_view pipe, const std::vector<std::string>& names);

  void add(const FieldNamesPipe& pipe) { add_table(pipe, {"name", "hits"}); }
  void add(const PatternPipe& pipe) {
    std::vector<std::string> columns = {"_template", "template", "hits", "share",
                                        "severity",  "first",    "last", "sample_ids"};
    if (!pipe.by.empty()) {
      for (std::string& column : columns) {
        if (column == pipe.by) column += "_2";
      }
      columns.insert(columns.begin(), pipe.by);
    }
    add_table(pipe, std::move(columns));
  }
  void add(const FacetsPipe& pipe) { add_table(pipe, {"field", "value", "hits"}); }
  void add_table(Pipe pipe, std::vector<std::string> columns) {
    push_step(std::move(pipe));
    shape_ = RowShape();
    shape_.is_table = true;
    shape_.columns = std::move(columns);
    is_reordered_ = true;
  }

  /// A pipe that changes rows: `change` tells the shape what becomes of it.
  template <typename Change>
  void add_edit(Pipe pipe, const std::optional<Predicate>& condition, Change&& change) {
    QueryStep& step = push_step(std::move(pipe));
    if (condition) step.filter = compile_filter(*condition);
    change(shape_);
    step.output = shape_;
  }
  /// Items see what earlier ones set: where one reads such a name, a new step begins.
  void add(const RenamePipe& pipe) {
    RenamePipe part;
    part.copies = pipe.copies;
    const auto flush = [&] {
      if (part.items.empty()) return;
      add_edit(part, std::nullopt, [&part](RowShape& shape) {
        for (const RenamePipe::Item& item : part.items) {
          if (part.copies) {
            shape.make({item.to, false});
          } else {
            shape.rename(item.from, item.to);
          }
        }
      });
      part.items.clear();
    };
    for (const RenamePipe::Item& item : pipe.items) {
      const bool touches_earlier =
          std::any_of(part.items.begin(), part.items.end(), [&](const RenamePipe::Item& known) {
            return known.to == item.from || known.from == item.from || known.from == item.to || known.to == item.to;
          });
      if (touches_earlier) flush();
      part.items.push_back(item);
    }
    flush();
  }
  void add(const EvalPipe& pipe) {
    EvalPipe part;
    const auto flush = [&] {
      if (part.items.empty()) return;
      add_edit(part, std::nullopt, [&part](RowShape& shape) {
        for (const EvalPipe::Item& item : part.items) shape.make({item.name, false});
      });
      part.items.clear();
    };
    for (const EvalPipe::Item& item : pipe.items) {
      std::vector<std::string> read;
      add_names_read(item.expression, read);
      const bool reads_earlier =
          std::any_of(part.items.begin(), part.items.end(), [&read](const EvalPipe::Item& known) {
            return std::find(read.begin(), read.end(), known.name) != read.end() ||
                   std::find(read.begin(), read.end(), "") != read.end();
          });
      if (reads_earlier) flush();
      part.items.push_back(item);
    }
    flush();
  }
  void add(const ExtractPipe& pipe) {
    add_edit(pipe, pipe.condition, [&pipe](RowShape& shape) {
      for (const PlaceholderText::Place& place : pipe.pattern.places) {
        if (place.is_named()) shape.make({place.name, false});
      }
    });
  }
  void add(const ExtractRegexPipe& pipe) {
    add_edit(pipe, pipe.condition, [&pipe](RowShape& shape) {
      for (const std::string& name : pipe.regex->group_names()) {
        if (!name.empty()) shape.make({name, false});
      }
    });
  }
  void add(const UnpackPipe& pipe) {
    const bool has_open_end =
        pipe.fields.empty() ||
        std::any_of(pipe.fields.begin(), pipe.fields.end(), [](const NamePattern& name) { return name.is_prefix; });
    if (shape_.is_table && has_open_end) {
      refusal_ = "the columns of a table must be known; name them: unpack .. fields (a, b)";
      return;
    }
    add_edit(pipe, pipe.condition, [&pipe](RowShape& shape) {
      if (pipe.fields.empty()) shape.make({pipe.prefix, true});
      for (const NamePattern& name : pipe.fields) shape.make({pipe.prefix + name.name, name.is_prefix});
    });
  }
  void add(const FormatPipe& pipe) {
    add_edit(pipe, pipe.condition, [&pipe](RowShape& shape) { shape.make({pipe.to, false}); });
  }
  void add(const ReplacePipe& pipe) {
    if (!shape_.is_visible(pipe.at)) return;
    add_edit(pipe, pipe.condition, [](RowShape&) {});
  }
  void add(const UnrollPipe& pipe) {
    add_edit(pipe, std::nullopt, [](RowShape&) {});
  }
  static Aggregate hits() {
    Aggregate aggregate;
    aggregate.function = "count";
    aggregate.column = "hits";
    return aggregate;
  }
  void add_stats(const StatsPipe& pipe, bool leaves_out_missing) {
    QueryStep& step = push_step(pipe);
    step.stats = {leaves_out_missing, plan_->zone, plan_->range};
    if (!shape_.is_table) read_whole_windows(pipe);
    shape_ = RowShape();
    shape_.is_table = true;
    for (const GroupKey& key : pipe.groups) shape_.columns.push_back(key.column);
    for (const Aggregate& aggregate : pipe.aggregates) shape_.columns.push_back(aggregate.column);
    is_reordered_ = true;
  }

  /// The first windows of time reach back behind the range of the query, and the one that ends with it holds its end.
  void read_whole_windows(const StatsPipe& pipe) {
    for (const GroupKey& key : pipe.groups) {
      if (key.window_ns == 0 || !is_time_name(key.name)) continue;
      if (plan_->range.last != kTimestampMax) plan_->reads_until = plan_->range.last.next();
      std::int64_t first_ns = plan_->range.first.number();
      if (plan_->range.first == kTimestampMin) continue;
      if (__builtin_sub_overflow(first_ns, key.window_ns, &first_ns) ||
          __builtin_sub_overflow(first_ns, key.offset_ns, &first_ns)) {
        first_ns = kTimestampMin.number();
      }
      plan_->reads_from = Timestamp(first_ns);
    }
  }

  /// The request's `fields` are a last `fields` pipe.
  Status add_request_fields() {
    if (plan_->request.fields.empty()) return {};
    FieldsPipe pipe;
    for (const std::string& name : plan_->request.fields) {
      if (name.empty()) {
        fault_ = QueryFault();
        fault_.message = "fields: a name is empty";
        return Error(ErrorCode::invalid_argument, fault_.message);
      }
      const bool is_prefix = name.back() == '*';
      pipe.names.push_back({is_prefix ? name.substr(0, name.size() - 1) : name, is_prefix});
    }
    add(pipe);
    plan_->output = shape_;
    return {};
  }

  /// Warns of fields that earlier pipes took away, and keeps those that records should have.
  void look_at_uses() {
    const std::vector<std::string> own_names = names_set_by(plan_->parsed.pipes[pipe_index_]);
    for (const FieldUse& use : plan_->parsed.uses) {
      if (use.pipe != pipe_index_ + 1) continue;
      if (std::find(own_names.begin(), own_names.end(), use.name) != own_names.end()) continue;
      const bool is_made = std::any_of(shape_.made.begin(), shape_.made.end(),
                                       [&use](const RowShape::Made& made) { return made.name.matches(use.name); });
      const bool is_whole = shape_.is_visible(use.name);
      if (is_whole && !shape_.is_table && !is_made) plan_->record_uses.push_back(use);
      if (is_whole || std::holds_alternative<FieldsPipe>(plan_->parsed.pipes[pipe_index_])) continue;
      plan_->warnings.push_back({"dropped_field",
                                 "\"" + use.name + "\" is not among the fields that the pipes before left", use.offset,
                                 use.size});
    }
  }

  /// Names that an `eval` or `rename` sets: its later items read them.
  static std::vector<std::string> names_set_by(const Pipe& pipe) {
    std::vector<std::string> names;
    if (const auto* eval = std::get_if<EvalPipe>(&pipe)) {
      for (const EvalPipe::Item& item : eval->items) names.push_back(item.name);
    } else if (const auto* rename = std::get_if<RenamePipe>(&pipe)) {
      for (const RenamePipe::Item& item : rename->items) names.push_back(item.to);
    }
    return names;
  }

  QueryPlan* const plan_;
  QueryFault& fault_;
  RowShape shape_;
  std::size_t pipe_index_ = 0;
  bool is_reordered_ = false;
  bool loses_order_ = false;
  std::optional<std::string> refusal_;  ///< of the pipe at hand
};

}  // namespace dendro
