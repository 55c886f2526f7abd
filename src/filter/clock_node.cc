// `_time:day_range[..)`, `_time:week_range[..]`: the time of day or week of a zone.
#include <optional>

#include "filter/field_reader.h"
#include "filter/filter_node.h"

namespace dendro {
namespace {

class ClockNode final : public FilterNode {
 public:
  explicit ClockNode(const ClockTest& test) : test_(test), name_(resolve_field_name(test.field)) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    FieldReader reader(name_);
    reader.start(batch);
    std::erase_if(rows, [&](std::uint32_t row) { return !contains(reader.first(row, RecordOrigin())); });
  }
  bool matches(const FieldSource& row) const override {
    bool found = false;
    row.visit_field(name_, [&](const Value& value) {
      found = contains(value);
      return !found;
    });
    return found;
  }
  int cost() const override { return 10; }

 private:
  bool contains(const Value& value) const {
    std::optional<Timestamp> instant;
    if (value.type == ValueType::time) instant = Timestamp(value.integer);
    if (value.type == ValueType::text) instant = parse_rfc3339(value.text);
    if (!instant) return false;
    constexpr std::int64_t kMonday = 4 * kNanosPerDay;  // 1970-01-05
    const bool is_week = test_.cycle == ClockTest::Cycle::week;
    const std::int64_t cycle_ns = is_week ? 7 * kNanosPerDay : kNanosPerDay;
    const std::int64_t local = test_.zone->local_ns(*instant) % cycle_ns - (is_week ? kMonday : 0);
    const std::int64_t at = (local % cycle_ns + cycle_ns) % cycle_ns;
    if (test_.first_ns < test_.last_ns) return test_.first_ns <= at && at < test_.last_ns;
    return test_.first_ns <= at || at < test_.last_ns;
  }
  const ClockTest test_;
  const FieldName name_;
};

}  // namespace

std::unique_ptr<FilterNode> make_clock_node(const ClockTest& test) {
  return std::make_unique<ClockNode>(test);
}

}  // namespace dendro
