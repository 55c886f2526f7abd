// Conditions on one named field.
#include <atomic>
#include <utility>

#include "filter/field_reader.h"
#include "filter/filter_node.h"
#include "filter/region_sweep.h"
#include "filter/value_test.h"

namespace dendro {
namespace {

bool is_text_type(ValueType type) {
  return type == ValueType::text || type == ValueType::bytes || type == ValueType::number_text;
}

class FieldNode final : public FilterNode {
 public:
  explicit FieldNode(const FieldTest& test) : name_(resolve_field_name(test.field)), test_(test.condition) {}

  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    FieldReader reader(name_);
    reader.start(batch);
    RegionSweep sweep(batch, test_, rows.size() * 4 >= batch.size());
    const bool may_sweep = sweep.has_needle();
    bool was_seen = false;
    std::size_t kept = 0;
    for (const std::uint32_t row : rows) {
      const FieldReader::Place& place = reader.place_of(row);
      was_seen = was_seen || !place.is_missing();
      const bool skipped = may_sweep && stands_in_region(batch, row, place) && !sweep.may_contain(row);
      rows[kept] = row;
      kept += !skipped && test_row(reader, row) ? 1u : 0u;
    }
    rows.resize(kept);
    if (was_seen) was_seen_.store(true, std::memory_order_relaxed);
  }

  bool matches(const FieldSource& row) const override {
    bool found = false;
    bool present = false;
    row.visit_field(name_, [&](const Value& value) {
      present = true;
      found = test_value(value);
      return !found;
    });
    if (present) was_seen_.store(true, std::memory_order_relaxed);
    return present ? found : test_.matches_missing();
  }

  int cost() const override { return 20; }
  void add_findings(std::vector<FieldFinding>& found) const override {
    found.push_back(
        {name_.name, was_seen_.load(std::memory_order_relaxed), unit_mismatch_.load(std::memory_order_relaxed)});
  }

 private:
  /// True if a match must show the required text among the record's own bytes.
  static bool stands_in_region(const RecordBatch& batch, std::uint32_t row, const FieldReader::Place& place) {
    if (place.is_missing() || place.kind != FieldKind::attribute) return false;
    const std::vector<Leaf>& leaves = batch.shapes()[batch.shape_index(row)].leaves;
    for (const std::uint32_t leaf : place.leaves) {
      if (!is_text_type(leaves[leaf].type)) return false;
    }
    return true;
  }
  bool test_row(FieldReader& reader, std::uint32_t row) const {
    bool found = false;
    const bool present = reader.visit(row, [&](const Value& value) {
      found = test_value(value);
      return !found;
    });
    return present ? found : test_.matches_missing();
  }
  bool test_value(const Value& value) const {
    if (test_.has_unit() && test_.is_unit_mismatch(value)) unit_mismatch_.store(true, std::memory_order_relaxed);
    return test_.matches(value);
  }

  FieldName name_;
  ValueTest test_;
  mutable std::atomic<bool> was_seen_{false};
  mutable std::atomic<bool> unit_mismatch_{false};
};

}  // namespace

std::unique_ptr<FilterNode> make_field_node(const FieldTest& test) {
  return std::make_unique<FieldNode>(test);
}

}  // namespace dendro
