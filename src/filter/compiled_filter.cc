#include "filter/compiled_filter.h"

#include <utility>

#include "filter/filter_node.h"

namespace dendro {
namespace {

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
};

std::unique_ptr<FilterNode> make_node(const Predicate& predicate) {
  return std::visit(NodeMaker{}, predicate.node);
}

class FilterTree final : public CompiledFilter {
 public:
  explicit FilterTree(std::unique_ptr<FilterNode> root) : root_(std::move(root)) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    if (!rows.empty()) root_->select(batch, rows);
  }
  bool matches(const FieldSource& row) const override { return root_->matches(row); }
  std::vector<FieldFinding> findings() const override {
    std::vector<FieldFinding> found;
    root_->add_findings(found);
    return found;
  }

 private:
  std::unique_ptr<FilterNode> root_;
};

}  // namespace

std::shared_ptr<const CompiledFilter> compile_filter(const Predicate& predicate, FilterOptions options) {
  auto root = make_node(predicate);
  if (options.exclude_dead_letters) {
    std::vector<std::unique_ptr<FilterNode>> parts;
    parts.push_back(make_living_node());
    parts.push_back(std::move(root));
    root = make_conjunction_node(std::move(parts));
  }
  return std::make_shared<FilterTree>(std::move(root));
}

}  // namespace dendro
