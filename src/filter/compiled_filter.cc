#include "filter/compiled_filter.h"

#include <set>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "filter/filter_node.h"

namespace dendro {
namespace {

/// Expressions that mean themselves become the substrings they are, for which there are faster ways.
struct LiteralExpressions {
  template <typename Other>
  void operator()(Other&) const {}
  void operator()(AllOf& all) const { in_parts(all.parts); }
  void operator()(AnyOf& any) const { in_parts(any.parts); }
  void operator()(Negation& negated) const {
    Predicate operand = *negated.operand;
    std::visit(*this, operand.node);
    negated.operand = std::make_shared<const Predicate>(std::move(operand));
  }
  void operator()(FieldTest& test) const {
    const auto* match = std::get_if<RegexMatch>(&test.condition);
    if (match == nullptr || !match->regex->is_literal()) return;
    test.condition = TextPattern{match->pattern(), true, true, false};
  }
  void in_parts(std::vector<Predicate>& parts) const {
    for (Predicate& part : parts) std::visit(*this, part.node);
  }
};

std::unique_ptr<FilterNode> make_node(const Predicate& predicate);

std::vector<std::unique_ptr<FilterNode>> make_nodes(const std::vector<Predicate>& parts) {
  std::vector<std::unique_ptr<FilterNode>> nodes;
  nodes.reserve(parts.size());
  for (const Predicate& part : parts) nodes.push_back(make_node(part));
  return nodes;
}

struct NodeMaker {
  using Node = std::unique_ptr<FilterNode>;
  Node operator()(const Everything&) const { return make_everything_node(); }
  Node operator()(const AllOf& all) const { return make_conjunction_node(make_nodes(all.parts)); }
  Node operator()(const AnyOf& any) const { return make_disjunction_node(make_nodes(any.parts)); }
  Node operator()(const Negation& negated) const { return make_negation_node(make_node(*negated.operand)); }
  Node operator()(const FieldTest& test) const {
    return test.field.empty() ? make_any_value_node(test) : make_field_node(test);
  }
  Node operator()(const SeverityTest& test) const { return make_severity_node(test); }
  Node operator()(const TimeTest& test) const { return make_time_node(test); }
  Node operator()(const LabelTest& test) const { return make_label_node(test); }
  Node operator()(const LabelMatch& test) const { return make_label_match_node(test); }
  Node operator()(const FieldComparison& comparison) const { return make_field_comparison_node(comparison); }
  Node operator()(const ClockTest& test) const { return make_clock_node(test); }
};

std::unique_ptr<FilterNode> make_node(const Predicate& predicate) {
  return std::visit(NodeMaker{}, predicate.node);
}

class FilterTree final : public CompiledFilter {
 public:
  FilterTree(Predicate predicate, FilterOptions options, std::unique_ptr<FilterNode> root)
      : predicate_(std::move(predicate)), options_(options), root_(std::move(root)) {}
  std::optional<FilterMeaning> meaning() const override {
    return FilterMeaning{&predicate_, options_.exclude_dead_letters};
  }
  void note_field_seen(std::string_view field) const override {
    MutexLock lock(mutex_);
    seen_.emplace(field);
  }
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    if (!rows.empty()) root_->select(batch, rows);
  }
  bool matches(const FieldSource& row) const override { return root_->matches(row); }
  std::vector<FieldFinding> findings() const override {
    std::vector<FieldFinding> found;
    root_->add_findings(found);
    MutexLock lock(mutex_);
    for (FieldFinding& finding : found) finding.was_seen = finding.was_seen || seen_.contains(finding.field);
    return found;
  }

 private:
  const Predicate predicate_;
  const FilterOptions options_;
  std::unique_ptr<FilterNode> root_;
  mutable Mutex mutex_;
  mutable std::set<std::string, std::less<>> seen_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<const CompiledFilter> compile_filter(const Predicate& written, FilterOptions options) {
  Predicate predicate = written;
  std::visit(LiteralExpressions{}, predicate.node);
  auto root = make_node(predicate);
  if (options.exclude_dead_letters) {
    std::vector<std::unique_ptr<FilterNode>> parts;
    parts.push_back(make_living_node());
    parts.push_back(std::move(root));
    root = make_conjunction_node(std::move(parts));
  }
  return std::make_shared<FilterTree>(std::move(predicate), options, std::move(root));
}

}  // namespace dendro
