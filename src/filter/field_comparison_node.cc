// One field of a record against another: f:eq_field(g), lt_field, le_field.
#include <algorithm>
#include <atomic>
#include <compare>
#include <utility>

#include "filter/field_reader.h"
#include "filter/filter_node.h"
#include "filter/list_elements.h"

namespace dendro {
namespace {

/// Calls `visit(const Value&)` for the value, or for each scalar of a list, until it returns true; true if one did.
template <typename Visit>
bool any_scalar(const Value& value, Visit visit) {
  if (value.type != ValueType::list) return visit(value);
  bool found = false;
  for_each_list_scalar(value.text, [&](const Value& element) {
    found = visit(element);
    return !found;
  });
  return found;
}

class FieldComparisonNode final : public FilterNode {
 public:
  explicit FieldComparisonNode(const FieldComparison& comparison)
      : field_(resolve_field_name(comparison.field)),
        other_(resolve_field_name(comparison.other)),
        order_(comparison.order) {}

  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    FieldReader field(field_);
    FieldReader other(other_);
    field.start(batch);
    other.start(batch);
    const auto accepts = [&](std::uint32_t row) {
      std::vector<Literal> literals;
      note(other_was_seen_, other.visit(row, [&](const Value& value) { return add_literals(value, literals); }));
      bool found = false;
      note(field_was_seen_, field.visit(row, [&](const Value& value) {
        found = satisfies(value, literals);
        return !found;
      }));
      return found;
    };
    std::erase_if(rows, [&](std::uint32_t row) { return !accepts(row); });
  }

  bool matches(const FieldSource& row) const override {
    std::vector<Literal> literals;
    row.visit_field(other_, [&](const Value& value) {
      note(other_was_seen_, true);
      return add_literals(value, literals);
    });
    bool found = false;
    row.visit_field(field_, [&](const Value& value) {
      note(field_was_seen_, true);
      found = satisfies(value, literals);
      return !found;
    });
    return found;
  }

  int cost() const override { return 60; }
  void add_findings(std::vector<FieldFinding>& found) const override {
    found.push_back({field_.name, field_was_seen_.load(std::memory_order_relaxed), false});
    found.push_back({other_.name, other_was_seen_.load(std::memory_order_relaxed), false});
  }

 private:
  static void note(std::atomic<bool>& was_seen, bool present) {
    if (present) was_seen.store(true, std::memory_order_relaxed);
  }
  /// What each value of the other field would be, written as an unquoted literal.
  static bool add_literals(const Value& value, std::vector<Literal>& literals) {
    any_scalar(value, [&literals](const Value& scalar) {
      std::string scratch;
      literals.push_back(Literal::of_word(value_text(scalar, scratch)));
      return false;
    });
    return true;
  }
  bool satisfies(const Value& value, const std::vector<Literal>& literals) const {
    return any_scalar(value, [&](const Value& scalar) {
      return std::any_of(literals.begin(), literals.end(),
                         [&](const Literal& literal) { return is_in_order(scalar, literal); });
    });
  }
  bool is_in_order(const Value& value, const Literal& literal) const {
    if (order_ == FieldOrder::equal) return literal.equals(value);
    const auto order = literal.compare(value);
    if (!order || *order == std::partial_ordering::unordered) return false;
    return *order == std::partial_ordering::less ||
           (order_ == FieldOrder::less_equal && *order == std::partial_ordering::equivalent);
  }

  FieldName field_;
  FieldName other_;
  FieldOrder order_;
  mutable std::atomic<bool> field_was_seen_{false};
  mutable std::atomic<bool> other_was_seen_{false};
};

}  // namespace

std::unique_ptr<FilterNode> make_field_comparison_node(const FieldComparison& comparison) {
  return std::make_unique<FieldComparisonNode>(comparison);
}

}  // namespace dendro
