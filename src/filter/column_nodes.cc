// Tests that read a column of the batch or a verdict made once per stream: time, severity, labels, dead letters.
#include <optional>
#include <string>
#include <utility>

#include "filter/field_reader.h"
#include "filter/filter_node.h"
#include "filter/stream_condition.h"
#include "record/severity.h"

namespace dendro {
namespace {

/// Keeps the rows for which `keep(row)` holds.
template <typename Keep>
void keep_rows(std::vector<std::uint32_t>& rows, Keep&& keep) {
  std::size_t kept = 0;
  for (const std::uint32_t row : rows) {
    rows[kept] = row;
    kept += keep(row) ? 1u : 0u;
  }
  rows.resize(kept);
}

class TimeNode final : public FilterNode {
 public:
  explicit TimeNode(const TimeTest& test) : name_(resolve_field_name(test.field)), range_(test.range) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    if (name_.candidates.front().kind == FieldKind::time) {
      const std::int64_t first = range_.first.number();
      const std::int64_t last = range_.last.number();
      const std::span<const std::int64_t> times = batch.timestamps();
      keep_rows(rows, [&](std::uint32_t row) { return times[row] >= first && times[row] < last; });
      return;
    }
    FieldReader reader(name_);
    reader.start(batch);
    keep_rows(rows, [&](std::uint32_t row) { return contains(reader.first(row, RecordOrigin())); });
  }
  bool matches(const FieldSource& row) const override {
    bool found = false;
    row.visit_field(name_, [&](const Value& value) {
      found = contains(value);
      return !found;
    });
    return found;
  }
  int cost() const override { return 1; }

 private:
  bool contains(const Value& value) const {
    if (value.type == ValueType::time) return range_.contains(Timestamp(value.integer));
    const auto parsed = value.type == ValueType::text ? parse_rfc3339(value.text) : std::nullopt;
    return parsed && range_.contains(*parsed);
  }
  FieldName name_;
  TimeRange range_;
};

class SeverityNode final : public FilterNode {
 public:
  explicit SeverityNode(const SeverityTest& test) : name_(resolve_field_name(test.field)), numbers_(test.numbers) {}
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    const std::span<const SeverityNumber> severities = batch.severities();
    if (!has_other_place(batch)) {
      keep_rows(rows, [&](std::uint32_t row) { return has(severities[row]); });
      return;
    }
    FieldReader reader(name_);
    reader.start(batch);
    keep_rows(rows, [&](std::uint32_t row) {
      bool found = false;
      const bool present = reader.visit(row, [&](const Value& value) {
        found = has(number_of(value, severities[row], reader.place_of(row).kind));
        return !found;
      });
      return present ? found : has(kSeverityUnset);
    });
  }
  bool matches(const FieldSource& row) const override {
    bool found = false;
    bool present = false;
    row.visit_field(name_, [&](const Value& value) {
      present = true;
      found = has(severity_of_value(value).value_or(kSeverityUnset));
      return !found;
    });
    return present ? found : has(kSeverityUnset);
  }
  int cost() const override { return 1; }

 private:
  bool has(SeverityNumber number) const { return (numbers_ >> number & 1) != 0; }
  static SeverityNumber number_of(const Value& value, SeverityNumber own, FieldKind kind) {
    return kind == FieldKind::severity ? own : severity_of_value(value).value_or(kSeverityUnset);
  }
  /// True if some record's answer may stand elsewhere than in the column: an attribute or label of that name.
  bool has_other_place(const RecordBatch& batch) const {
    for (const FieldCandidate& candidate : name_.candidates) {
      if (candidate.path.empty()) continue;
      for (const Shape& shape : batch.shapes()) {
        for (const Leaf& leaf : shape.leaves) {
          const bool is_own = leaf.role == LeafRole::attribute || leaf.role == LeafRole::body_part;
          if (is_own && leaf.path == candidate.path) return true;
        }
      }
      for (const Stream& stream : batch.streams()) {
        if (stream.find(candidate.path) != nullptr) return true;
      }
    }
    return false;
  }
  FieldName name_;
  std::uint32_t numbers_;
};

/// Asks once per stream.
class StreamNode : public FilterNode {
 public:
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    std::vector<std::uint8_t> verdicts;
    verdicts.reserve(batch.streams().size());
    for (const Stream& stream : batch.streams()) verdicts.push_back(accepts(stream) ? 1 : 0);
    keep_rows(rows, [&](std::uint32_t row) { return verdicts[batch.stream_index(row)] != 0; });
  }
  int cost() const override { return 2; }

 private:
  virtual bool accepts(const Stream& stream) const = 0;
};

class LabelNode final : public StreamNode {
 public:
  explicit LabelNode(LabelCondition condition)
      : condition_(std::move(condition)), field_(resolve_field_name("resource." + condition_.name())) {}
  bool matches(const FieldSource& row) const override {
    std::string text;
    std::string scratch;
    row.visit_field(field_, [&](const Value& value) {
      text = value_text(value, scratch);
      return false;
    });
    return condition_.accepts_text(text);
  }

 private:
  bool accepts(const Stream& stream) const override { return condition_.accepts(stream); }

  const LabelCondition condition_;
  const FieldName field_;
};

class LivingNode final : public StreamNode {
 public:
  bool matches(const FieldSource&) const override { return true; }

 private:
  bool accepts(const Stream& stream) const override { return LivingCondition().accepts(stream); }
};

}  // namespace

std::unique_ptr<FilterNode> make_time_node(const TimeTest& test) {
  return std::make_unique<TimeNode>(test);
}
std::unique_ptr<FilterNode> make_severity_node(const SeverityTest& test) {
  return std::make_unique<SeverityNode>(test);
}
std::unique_ptr<FilterNode> make_label_node(const LabelTest& test) {
  return std::make_unique<LabelNode>(LabelCondition(test));
}
std::unique_ptr<FilterNode> make_label_match_node(const LabelMatch& test) {
  return std::make_unique<LabelNode>(LabelCondition(test));
}
std::unique_ptr<FilterNode> make_living_node() {
  return std::make_unique<LivingNode>();
}

}  // namespace dendro
