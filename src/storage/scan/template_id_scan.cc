// A condition on `_template`: asked once a leaf, never of the texts themselves.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "codec/canonical_leaf.h"
#include "filter/field_reader.h"
#include "filter/value_test.h"
#include "storage/scan/scan_node.h"

namespace dendro {
namespace {

class TemplateIdScan final : public ScanNode {
 public:
  TemplateIdScan(const FieldTest& test, const RecordFilter& filter)
      : name_(resolve_field_name(test.field)), test_(test.condition), filter_(filter) {}

  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
    const Places& places = places_in(reader);
    if (places.is_in_streams) return RowVerdict::unknown(rows_in(reader));
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), test_.matches_missing());
    std::vector<std::uint32_t> done;
    for (const std::uint32_t shape : shapes->table) {
      const Place& at = places.of_shape[shape];
      if (at.is_unknown) return RowVerdict::unknown(rows_in(reader));
      if (at.column == kNoColumn || std::find(done.begin(), done.end(), at.column) != done.end()) continue;
      done.push_back(at.column);
      filter_.note_field_seen(name_.name);
      DENDRO_TRY(mark(reader, *reader.entry().find_column(at.column), places, *shapes, verdict.possible));
    }
    verdict.certain = verdict.possible;
    return verdict;
  }
  int cost() const override { return 10; }

 private:
  struct Place {
    bool is_unknown = false;  ///< only the record tells
    std::uint32_t column = kNoColumn;
  };
  struct Places {
    std::vector<Place> of_shape;
    bool is_in_streams = false;
  };

  const Places& places_in(const RowGroupReader& reader) {
    const auto [known, is_new] = known_.emplace(reader.segment().info().id, Places());
    if (!is_new) return known->second;
    const SegmentDictionary& dictionary = reader.dictionary();
    for (std::size_t i = 0; i < dictionary.shapes().size(); ++i) {
      const FieldReader::Place place = FieldReader::find_in_shape(name_, dictionary.shapes()[i], true);
      Place at;
      if (place.kind == FieldKind::template_id && place.leaves.size() == 1) {
        const std::vector<std::uint32_t>& columns = dictionary.shape_columns(i);
        at.column = columns[place.leaves.front()];
        // A column that the record has twice has two values; which one is the body is not told here.
        at.is_unknown = std::count(columns.begin(), columns.end(), at.column) != 1;
      } else {
        at.is_unknown = !place.is_missing();
      }
      known->second.of_shape.push_back(at);
    }
    for (const Stream& stream : dictionary.streams()) {
      known->second.is_in_streams =
          known->second.is_in_streams || !FieldReader::find_in_stream(name_, stream).is_missing();
    }
    return known->second;
  }

  Status mark(RowGroupReader& reader, const ColumnEntry& column, const Places& places, const IndexColumn& shapes,
              RowBitmap& rows) const {
    DENDRO_TRY_ASSIGN(const auto codes, reader.leaf_codes(column));
    DENDRO_TRY_ASSIGN(const auto map, reader.rows_of(column));
    std::vector<bool> matches;
    for (const std::uint64_t leaf : codes->leaves) {
      matches.push_back(test_.matches(Value::of_text(to_hex16(leaf))));
    }
    for (std::size_t value = 0; value < codes->of_value.size(); ++value) {
      const std::uint32_t row = map->row_of(value);
      // Records of another shape may have the column for another field.
      if (places.of_shape[shapes.table[shapes.codes[row]]].column != column.column) continue;
      matches[codes->of_value[value]] ? rows.set(row) : rows.clear(row);
    }
    return {};
  }

  const FieldName name_;
  const ValueTest test_;
  const RecordFilter& filter_;
  std::map<SegmentId, Places> known_;
};

}  // namespace

ScanNodePtr make_template_id_scan(const FieldTest& test, const RecordFilter& filter) {
  return std::make_unique<TemplateIdScan>(test, filter);
}

}  // namespace dendro
