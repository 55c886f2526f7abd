// Conditions without a field: any stored value (query-language.md D2).
#include <algorithm>
#include <cstring>
#include <utility>

#include "filter/field_name.h"
#include "filter/filter_node.h"
#include "filter/leaf_walk.h"
#include "filter/region_sweep.h"
#include "filter/value_test.h"

namespace dendro {
namespace {

/// What the types of a shape's searchable leaves allow to conclude from the record's raw bytes.
struct SearchableTypes {
  bool has_non_text = false;
  bool has_list = false;
};

SearchableTypes searchable_types(const Shape& shape) {
  SearchableTypes types;
  for (const Leaf& leaf : shape.leaves) {
    if (!is_searchable_leaf(leaf)) continue;
    switch (leaf.type) {
      case ValueType::text:
      case ValueType::bytes:
      case ValueType::number_text:
        break;
      case ValueType::list:
        types.has_list = true;
        break;
      default:
        types.has_non_text = true;
        break;
    }
  }
  return types;
}

class AnyValueNode final : public FilterNode {
 public:
  explicit AnyValueNode(const FieldTest& test) : test_(test.condition) {}

  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    std::vector<std::uint8_t> stream_verdicts;
    for (const Stream& stream : batch.streams()) stream_verdicts.push_back(accepts_stream(stream) ? 1 : 0);
    std::vector<SearchableTypes> types;
    for (const Shape& shape : batch.shapes()) types.push_back(searchable_types(shape));
    RegionSweep sweep(batch, test_, rows.size() * 4 >= batch.size());
    const auto accepts = [&](std::uint32_t row) {
      if (stream_verdicts[batch.stream_index(row)] != 0) return true;
      const SearchableTypes& own = types[batch.shape_index(row)];
      const bool bytes_decide = sweep.has_needle() && !(own.has_non_text && test_.may_match_non_text());
      if (bytes_decide && !sweep.may_contain(row) && !(own.has_list && may_be_escaped(batch.record(row)))) return false;
      return accepts_record(batch.record(row));
    };
    std::size_t kept = 0;
    for (const std::uint32_t row : rows) {
      rows[kept] = row;
      kept += accepts(row) ? 1u : 0u;
    }
    rows.resize(kept);
  }

  bool matches(const FieldSource& row) const override {
    bool found = false;
    row.visit_searchable([&](const Value& value) {
      found = test_.matches(value);
      return !found;
    });
    return found;
  }

  int cost() const override { return 50; }

 private:
  bool accepts_stream(const Stream& stream) const {
    return std::any_of(stream.labels.begin(), stream.labels.end(), [this](const StreamLabel& label) {
      return label.path != kSourceLabel && test_.matches(label.value);
    });
  }
  bool accepts_record(const RecordView& record) const {
    const char* at = record.value_bytes().data();
    for (const Leaf& leaf : record.shape().leaves) {
      if (!leaf.is_stored()) continue;
      if (!is_searchable_leaf(leaf)) {
        skip_stored_value(leaf.type, at);
      } else if (test_.matches(batch_encoding::read_value(leaf.type, at, record.timestamp()))) {
        return true;
      }
    }
    return false;
  }
  /// Elements of a list stand there as JSON, so that a text with a quote or a \u escape looks different.
  static bool may_be_escaped(const RecordView& record) {
    const std::string_view bytes = record.value_bytes();
    return !bytes.empty() && std::memchr(bytes.data(), '\\', bytes.size()) != nullptr;
  }

  ValueTest test_;
};

}  // namespace

std::unique_ptr<FilterNode> make_any_value_node(const FieldTest& test) {
  return std::make_unique<AnyValueNode>(test);
}

}  // namespace dendro
