#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/hex.h"
#include "codec/canonical_leaf.h"
#include "query/pipes/operator.h"
#include "query/pipes/patient_sort.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"
#include "record/record_id.h"
#include "record/severity.h"

namespace dendro {
namespace {

constexpr std::size_t kSampleIds = 3;

/// `pattern`: the templates of bodies with their counts, most frequent first (query-language.md 8.2). Every row with a
/// text as body counts; of a reduced scan one record stands for many. `severity` is the one most of them have. With a
/// field, a template counts by itself for each of its values, and for the records without it.
class PatternOperator final : public Operator {
 public:
  PatternOperator(OperatorPtr input, const PatternPipe& pipe, const RowShape& shape, QueryContext& context)
      : input_(std::move(input)),
        count_(pipe.count),
        rule_(order_rule_of(pipe.by)),
        is_table_(shape.is_table),
        body_("body", shape),
        severity_("severity", shape),
        context_(context) {
    if (!pipe.by.empty()) by_.emplace(pipe.by, shape);
  }

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && take(*rows)) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    return std::optional<RowBatch>(make_table());
  }

 private:
  struct Pattern {
    std::string leaf;
    Cell value;  ///< of the field; of equal texts, one that prints quoted
    std::uint64_t hits = 0;
    std::array<std::uint64_t, kSeverityMax + 1> by_severity{};
    Timestamp first = kTimestampMax, last = kTimestampMin;
    std::vector<RecordPosition> newest;  ///< falling, kSampleIds at most
  };
  using Entry = std::pair<const std::string, Pattern>;

  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Value body = body_.read(rows, i);
      if (body.type != ValueType::text) continue;
      add(pattern_of(canonical_leaf(body.text), rows, i), rows, i);
      if (context_.is_stopped()) return false;
    }
    return true;
  }

  Pattern& pattern_of(std::string leaf, const RowBatch& rows, std::size_t index) {
    if (!by_) return find_pattern(leaf, leaf, Value());
    const Value value = by_->read(rows, index);
    key_.assign(1, value.is_missing() ? '\0' : '\1');  // no value is not an empty one
    append_sized(key_, value.is_missing() ? std::string_view() : value_text(value, scratch_));
    key_ += leaf;
    Pattern& pattern = find_pattern(key_, leaf, value);
    if (value.is_string() && !pattern.value.value().is_string()) pattern.value = Cell(value);
    return pattern;
  }
  Pattern& find_pattern(const std::string& key, const std::string& leaf, const Value& value) {
    const auto [entry, is_new] = patterns_.try_emplace(key);
    if (is_new) {
      entry->second.leaf = leaf;
      entry->second.value = Cell(value);
      context_.charge(sizeof(Entry) + key.size() + leaf.size() + entry->second.value.bytes() + 64);
    }
    return entry->second;
  }

  void add(Pattern& pattern, const RowBatch& rows, std::size_t index) {
    const std::uint64_t weight = is_table_ ? 1 : rows.records[index].weight;
    pattern.hits += weight;
    total_ += weight;
    pattern.by_severity[severity_of_value(severity_.read(rows, index)).value_or(kSeverityUnset)] += weight;
    if (is_table_) return;
    const RecordPosition position = rows.records[index].position();
    pattern.first = std::min(pattern.first, position.timestamp);
    pattern.last = std::max(pattern.last, position.timestamp);
    const auto place = std::lower_bound(pattern.newest.begin(), pattern.newest.end(), position,
                                        [](const RecordPosition& a, const RecordPosition& b) { return b < a; });
    if (place == pattern.newest.end() && pattern.newest.size() == kSampleIds) return;
    pattern.newest.insert(place, position);
    if (pattern.newest.size() > kSampleIds) pattern.newest.pop_back();
  }

  RowBatch make_table() const {
    std::vector<const Entry*> order;
    for (const Entry& entry : patterns_) order.push_back(&entry);
    const auto most_first = [this](const Entry* a, const Entry* b) {
      if (a->second.hits != b->second.hits) return a->second.hits > b->second.hits;
      if (a->second.leaf != b->second.leaf) return a->second.leaf < b->second.leaf;
      const auto order = SortValue(a->second.value.value(), rule_) <=> SortValue(b->second.value.value(), rule_);
      return order != 0 ? order < 0 : a->first < b->first;
    };
    sort_patiently(order, most_first, context_);
    if (order.size() > count_) order.resize(count_);
    RowBatch out;
    for (const Entry* entry : order) out.table.push_back(make_row(entry->second));
    return out;
  }

  /// Columns as the planner names them.
  TableRow make_row(const Pattern& pattern) const {
    std::string shown = pattern.leaf;
    std::erase(shown, kSoftMark);
    const auto most = std::max_element(pattern.by_severity.rbegin(), pattern.by_severity.rend());
    const auto severity = static_cast<SeverityNumber>(pattern.by_severity.rend() - most - 1);
    std::string ids;
    for (const RecordPosition& position : pattern.newest) {
      ids.append(ids.empty() ? "[\"" : ",\"").append(to_record_id(position)).push_back('"');
    }
    const bool has_time = pattern.first <= pattern.last;
    TableRow row = {Cell(Value::of_text(to_hex16(leaf_id(pattern.leaf, kLeafIdSeed)))),
                    Cell(Value::of_text(shown)),
                    Cell(Number::of_uint64(pattern.hits).to_value()),
                    Cell(Value::of_float64(static_cast<double>(pattern.hits) / static_cast<double>(total_))),
                    severity == kSeverityUnset ? Cell() : Cell(Value::of_text(severity_name(severity))),
                    has_time ? Cell(Value::of_time(pattern.first, 9)) : Cell(),
                    has_time ? Cell(Value::of_time(pattern.last, 9)) : Cell(),
                    ids.empty() ? Cell() : Cell(Value::of_list(ids + "]"))};
    if (by_) row.insert(row.begin(), pattern.value);
    return row;
  }

  OperatorPtr input_;
  const std::uint64_t count_;
  const OrderRule rule_;
  const bool is_table_;
  RowField body_, severity_;
  std::optional<RowField> by_;
  QueryContext& context_;
  std::unordered_map<std::string, Pattern> patterns_;  ///< by leaf, behind the text of the value
  std::string key_, scratch_;
  std::uint64_t total_ = 0;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_pattern_operator(OperatorPtr input, const PatternPipe& pipe, const RowShape& shape,
                                  QueryContext& context) {
  return std::make_unique<PatternOperator>(std::move(input), pipe, shape, context);
}

}  // namespace dendro
