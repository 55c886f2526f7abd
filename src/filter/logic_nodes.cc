#include <algorithm>
#include <iterator>

#include "filter/filter_node.h"

namespace dendro {
namespace {

class EverythingNode final : public FilterNode {
 public:
  void select(const RecordBatch&, std::vector<std::uint32_t>&) const override {}
  bool matches(const FieldSource&) const override { return true; }
  int cost() const override { return 0; }
};

/// Parts in the order of the predicate; asked in the order of cost.
class ConjunctionNode final : public FilterNode {
 public:
  explicit ConjunctionNode(std::vector<std::unique_ptr<FilterNode>> parts) : parts_(std::move(parts)) {
    for (const auto& part : parts_) by_cost_.push_back(part.get());
    std::sort(by_cost_.begin(), by_cost_.end(),
              [](const FilterNode* a, const FilterNode* b) { return a->cost() < b->cost(); });
  }
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    for (const FilterNode* part : by_cost_) {
      if (rows.empty()) return;
      part->select(batch, rows);
    }
  }
  bool matches(const FieldSource& row) const override {
    return std::all_of(by_cost_.begin(), by_cost_.end(), [&row](const FilterNode* part) { return part->matches(row); });
  }
  int cost() const override {
    int sum = 0;
    for (const auto& part : parts_) sum += part->cost();
    return sum;
  }
  void add_findings(std::vector<FieldFinding>& found) const override {
    for (const auto& part : parts_) part->add_findings(found);
  }

 private:
  std::vector<std::unique_ptr<FilterNode>> parts_;
  std::vector<const FilterNode*> by_cost_;
};

class DisjunctionNode final : public FilterNode {
 public:
  explicit DisjunctionNode(std::vector<std::unique_ptr<FilterNode>> parts) : parts_(std::move(parts)) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    std::vector<std::uint32_t> rest = rows;
    std::vector<std::uint32_t> matched;
    for (const auto& part : parts_) {
      if (rest.empty()) break;
      std::vector<std::uint32_t> selected = rest;
      part->select(batch, selected);
      if (selected.empty()) continue;
      std::vector<std::uint32_t> left;
      std::set_difference(rest.begin(), rest.end(), selected.begin(), selected.end(), std::back_inserter(left));
      std::vector<std::uint32_t> merged;
      merged.reserve(matched.size() + selected.size());
      std::merge(matched.begin(), matched.end(), selected.begin(), selected.end(), std::back_inserter(merged));
      matched = std::move(merged);
      rest = std::move(left);
    }
    rows = std::move(matched);
  }
  bool matches(const FieldSource& row) const override {
    return std::any_of(parts_.begin(), parts_.end(), [&row](const auto& part) { return part->matches(row); });
  }
  int cost() const override {
    int sum = 0;
    for (const auto& part : parts_) sum += part->cost();
    return sum;
  }
  void add_findings(std::vector<FieldFinding>& found) const override {
    for (const auto& part : parts_) part->add_findings(found);
  }

 private:
  std::vector<std::unique_ptr<FilterNode>> parts_;
};

class NegationNode final : public FilterNode {
 public:
  explicit NegationNode(std::unique_ptr<FilterNode> operand) : operand_(std::move(operand)) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    std::vector<std::uint32_t> selected = rows;
    operand_->select(batch, selected);
    std::vector<std::uint32_t> left;
    left.reserve(rows.size() - selected.size());
    std::set_difference(rows.begin(), rows.end(), selected.begin(), selected.end(), std::back_inserter(left));
    rows = std::move(left);
  }
  bool matches(const FieldSource& row) const override { return !operand_->matches(row); }
  int cost() const override { return operand_->cost(); }
  void add_findings(std::vector<FieldFinding>& found) const override { operand_->add_findings(found); }

 private:
  std::unique_ptr<FilterNode> operand_;
};

}  // namespace

std::unique_ptr<FilterNode> make_everything_node() {
  return std::make_unique<EverythingNode>();
}
std::unique_ptr<FilterNode> make_conjunction_node(std::vector<std::unique_ptr<FilterNode>> parts) {
  return std::make_unique<ConjunctionNode>(std::move(parts));
}
std::unique_ptr<FilterNode> make_disjunction_node(std::vector<std::unique_ptr<FilterNode>> parts) {
  return std::make_unique<DisjunctionNode>(std::move(parts));
}
std::unique_ptr<FilterNode> make_negation_node(std::unique_ptr<FilterNode> operand) {
  return std::make_unique<NegationNode>(std::move(operand));
}

}  // namespace dendro
