// A condition without a field, by every column that is searched.
#include <algorithm>
#include <map>
#include <vector>

#include "filter/field_name.h"
#include "filter/leaf_walk.h"
#include "storage/scan/column_answers.h"
#include "storage/scan/scan_node.h"

namespace dendro {
namespace {

/// A condition without a field: any stored value.
class AnyValueScan final : public ScanNode {
 public:
  explicit AnyValueScan(const FieldTest& test) : condition_(test.condition) {}

  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    const Searchable& known = searchable_in(reader);
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    RowBitmap& rows = verdict.possible;
    DENDRO_TRY(add_streams(reader, known, rows));
    ColumnAnswers answers(condition_, reader, probe);
    for (const ColumnEntry& column : reader.entry().columns) {
      if (known.columns[column.column] == Kind::never) continue;
      DENDRO_TRY_ASSIGN(const RowBitmap* const found, answers.rows(column.column));
      if (known.columns[column.column] == Kind::always) {
        rows |= *found;
      } else {
        DENDRO_TRY(add_of_searchable_shapes(reader, column.column, *found, rows));
      }
    }
    DENDRO_TRY(select_empty_objects(reader, rows));
    verdict.certain = rows;
    return verdict;
  }
  int cost() const override { return 50; }

 private:
  /// In which of its shapes a column's values are searched.
  enum class Kind : std::uint8_t { never, always, sometimes };
  struct Searchable {
    std::vector<Kind> columns;
    std::vector<std::uint8_t> streams;
  };

  const Searchable& searchable_in(const RowGroupReader& reader) {
    const auto [found, is_new] = known_.emplace(reader.segment().info().id, Searchable());
    if (!is_new) return found->second;
    const SegmentDictionary& dictionary = reader.dictionary();
    std::vector<std::uint8_t> uses(dictionary.columns().size(), 0);  // bit 0: searched, bit 1: not
    for (std::size_t shape = 0; shape < dictionary.shapes().size(); ++shape) {
      const std::vector<Leaf>& leaves = dictionary.shapes()[shape].leaves;
      for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
        const std::uint32_t column = dictionary.shape_columns(shape)[leaf];
        if (column != kNoColumn) uses[column] |= is_searchable_leaf(leaves[leaf]) ? 1 : 2;
      }
    }
    for (const std::uint8_t use : uses) {
      found->second.columns.push_back(use == 1 ? Kind::always : use == 3 ? Kind::sometimes : Kind::never);
    }
    for (const Stream& stream : dictionary.streams()) {
      found->second.streams.push_back(
          std::any_of(stream.labels.begin(), stream.labels.end(), [&](const StreamLabel& label) {
            return label.path != kSourceLabel && condition_.test().matches(label.value);
          }));
    }
    return found->second;
  }

  static Status add_streams(RowGroupReader& reader, const Searchable& known, RowBitmap& rows) {
    const std::vector<IndexCount>& counts = reader.entry().stream_counts;
    if (std::none_of(counts.begin(), counts.end(),
                     [&](const IndexCount& count) { return known.streams[count.index] != 0; })) {
      return {};
    }
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    for (std::size_t row = 0; row < streams->codes.size(); ++row) {
      if (known.streams[streams->table[streams->codes[row]]] != 0) rows.set(row);
    }
    return {};
  }

  /// A column that is searched in some shapes only: in those where every leaf of it is, since values of one record
  /// cannot be told apart here. Paths that stand under two roles within one record are not made by any decoder.
  static Status add_of_searchable_shapes(RowGroupReader& reader, std::uint32_t column, const RowBitmap& found,
                                         RowBitmap& rows) {
    DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
    std::vector<std::uint8_t> is_searched;
    for (const std::uint32_t shape : shapes->table) {
      const std::vector<Leaf>& leaves = reader.dictionary().shapes()[shape].leaves;
      const std::vector<std::uint32_t>& columns = reader.dictionary().shape_columns(shape);
      bool searched = false;
      for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
        searched = searched || (columns[leaf] == column && is_searchable_leaf(leaves[leaf]));
      }
      is_searched.push_back(searched ? 1 : 0);
    }
    found.for_each([&](std::uint32_t row) {
      if (is_searched[shapes->codes[row]] != 0) rows.set(row);
    });
    return {};
  }

  Status select_empty_objects(RowGroupReader& reader, RowBitmap& rows) {
    if (!condition_.test().matches(Value::of_empty_object())) return {};
    DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
    std::vector<std::uint8_t> has_one;
    for (const std::uint32_t shape : shapes->table) {
      const std::vector<Leaf>& leaves = reader.dictionary().shapes()[shape].leaves;
      has_one.push_back(std::any_of(leaves.begin(), leaves.end(), [](const Leaf& leaf) {
        return leaf.type == ValueType::empty_object && is_searchable_leaf(leaf);
      }));
    }
    for (std::size_t row = 0; row < shapes->codes.size(); ++row) {
      if (has_one[shapes->codes[row]] != 0) rows.set(row);
    }
    return {};
  }

  ConditionScan condition_;
  std::map<SegmentId, Searchable> known_;
};

}  // namespace

ScanNodePtr make_any_value_scan(const FieldTest& test) {
  return std::make_unique<AnyValueScan>(test);
}

}  // namespace dendro
