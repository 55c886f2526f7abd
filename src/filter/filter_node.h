#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "filter/compiled_filter.h"
#include "filter/field_source.h"
#include "filter/predicate.h"

namespace dendro {

/// One node of a compiled filter. Immutable but for its findings; thread-safe.
class FilterNode {
 public:
  virtual ~FilterNode() = default;
  /// As RecordFilter::select.
  virtual void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const = 0;
  virtual bool matches(const FieldSource& row) const = 0;
  /// Rough cost a record; a conjunction asks the cheap ones first.
  virtual int cost() const = 0;
  virtual void add_findings(std::vector<FieldFinding>&) const {}
};

std::unique_ptr<FilterNode> make_everything_node();
std::unique_ptr<FilterNode> make_conjunction_node(std::vector<std::unique_ptr<FilterNode>> parts);
std::unique_ptr<FilterNode> make_disjunction_node(std::vector<std::unique_ptr<FilterNode>> parts);
std::unique_ptr<FilterNode> make_negation_node(std::unique_ptr<FilterNode> operand);
std::unique_ptr<FilterNode> make_severity_node(const SeverityTest& test);
std::unique_ptr<FilterNode> make_time_node(const TimeTest& test);
std::unique_ptr<FilterNode> make_label_node(const LabelTest& test);
std::unique_ptr<FilterNode> make_label_match_node(const LabelMatch& test);
std::unique_ptr<FilterNode> make_clock_node(const ClockTest& test);
std::unique_ptr<FilterNode> make_field_comparison_node(const FieldComparison& comparison);
/// Leaves dead letters out (D12).
std::unique_ptr<FilterNode> make_living_node();
/// `test.field` not empty.
std::unique_ptr<FilterNode> make_field_node(const FieldTest& test);
/// `test.field` empty.
std::unique_ptr<FilterNode> make_any_value_node(const FieldTest& test);

}  // namespace dendro
