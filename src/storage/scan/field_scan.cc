// A condition on a named field, by the columns that the field stands in.
#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "filter/field_reader.h"
#include "storage/scan/column_answers.h"
#include "storage/scan/scan_node.h"

namespace dendro {
namespace {

bool is_plain_number(ValueType type) {
  return type == ValueType::int64 || type == ValueType::uint64 || type == ValueType::float64 ||
         type == ValueType::number_text;
}

/// A condition on a named field.
class FieldScan final : public ScanNode {
 public:
  FieldScan(const FieldTest& test, const RecordFilter& filter)
      : name_(resolve_field_name(test.field)), condition_(test.condition), filter_(filter) {}

  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    const SegmentPlaces& places = places_in(reader);
    for (const IndexCount& shape : reader.entry().shape_counts) {
      if (places.shapes[shape.index].is_unknown) return RowVerdict::unknown(rows_in(reader));
    }
    if (const auto flags = select_streams(reader)) return rows_of_streams(reader, *flags);
    note_seen(places, reader.entry());
    DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    ColumnAnswers answers(condition_, reader, probe);
    RowVerdict verdict;
    if (is_told_by_shapes(places, *shapes, *streams)) {
      DENDRO_TRY_ASSIGN(verdict.possible, select_by_shapes(places, *shapes, reader, answers));
    } else {
      DENDRO_TRY_ASSIGN(verdict.possible, select_by_row(places, *shapes, *streams, reader, answers));
    }
    verdict.certain = verdict.possible;
    return verdict;
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    const SegmentPlaces& places = places_in(reader);
    const RowGroupEntry& entry = reader.entry();
    std::size_t best_rank = FieldReader::Place().rank;  // of any shape
    for (const IndexCount& shape : entry.shape_counts) {
      const ShapePlace& at = places.shapes[shape.index];
      if (at.is_unknown) return std::nullopt;
      best_rank = std::min(best_rank, at.place.rank);
    }
    const bool is_in_no_shape = best_rank == FieldReader::Place().rank;
    StreamFlags flags;
    for (const IndexCount& stream : entry.stream_counts) {
      const StreamPlace& at = places.streams[stream.index];
      if (at.place.rank >= best_rank && !is_in_no_shape) return std::nullopt;
      flags.push_back(at.place.is_missing() ? is_missing_wanted() : at.matches);
    }
    note_seen(places, entry);
    return flags;
  }
  Result<bool> may_match(RowGroupReader& reader, FilterProbe& probe) override {
    const SegmentPlaces& places = places_in(reader);
    const RowGroupEntry& entry = reader.entry();
    if (is_missing_wanted()) return true;
    for (const IndexCount& stream : entry.stream_counts) {
      if (places.streams[stream.index].matches) return true;
    }
    for (const IndexCount& shape : entry.shape_counts) {
      const ShapePlace& at = places.shapes[shape.index];
      if (at.is_unknown || at.has_empty_object) return true;
      for (const std::uint32_t number : at.columns) {
        const ColumnEntry* const column = entry.find_column(number);
        if (column == nullptr) continue;
        DENDRO_TRY_ASSIGN(const bool may_find, condition_.may_find(reader, *column, probe));
        if (may_find) return true;
      }
    }
    note_seen(places, entry);
    return false;
  }
  /// Where the field is a label of some stream of the segment.
  std::optional<StreamFlags> label_flags(const RowGroupReader& reader) override {
    const std::vector<StreamPlace>& streams = places_in(reader).streams;
    const bool is_label = std::any_of(streams.begin(), streams.end(),
                                      [](const StreamPlace& stream) { return !stream.place.is_missing(); });
    return is_label ? select_streams(reader) : std::nullopt;
  }
  int cost() const override { return 20; }

 private:
  /// Where the field stands in the records of a shape.
  struct ShapePlace {
    bool is_unknown = false;  ///< only the record tells
    FieldReader::Place place;
    std::vector<std::uint32_t> columns;  ///< of its leaves
    bool has_empty_object = false;
  };
  struct StreamPlace {
    FieldReader::Place place;
    bool matches = false;
  };
  struct SegmentPlaces {
    std::vector<ShapePlace> shapes;
    std::vector<StreamPlace> streams;
    /// Columns that some shape has for another leaf than the field's.
    std::set<std::uint32_t> shared_columns;
  };

  const SegmentPlaces& places_in(const RowGroupReader& reader) {
    const auto [found, is_new] = known_.emplace(reader.segment().info().id, SegmentPlaces());
    if (!is_new) return found->second;
    const SegmentDictionary& dictionary = reader.dictionary();
    for (std::size_t i = 0; i < dictionary.shapes().size(); ++i) found->second.shapes.push_back(find_in(dictionary, i));
    note_shared_columns(dictionary, found->second);
    for (const Stream& stream : dictionary.streams()) {
      StreamPlace at{FieldReader::find_in_stream(name_, stream), false};
      at.matches = !at.place.is_missing() && condition_.test().matches(stream.labels[at.place.label_index].value);
      found->second.streams.push_back(std::move(at));
    }
    return found->second;
  }

  ShapePlace find_in(const SegmentDictionary& dictionary, std::size_t index) const {
    const Shape& shape = dictionary.shapes()[index];
    ShapePlace at;
    at.place = FieldReader::find_in_shape(name_, shape, true);
    if (at.place.is_missing()) return at;  // without a severity it has no more
    at.is_unknown =
        at.place.kind != FieldKind::attribute || FieldReader::find_in_shape(name_, shape, false).rank != at.place.rank;
    if (at.is_unknown) return at;
    for (const std::uint32_t leaf : at.place.leaves) {
      const std::uint32_t column = dictionary.shape_columns(index)[leaf];
      if (column == kNoColumn) {
        at.has_empty_object = true;
      } else {
        at.columns.push_back(column);
        // A warning is due for each plain number that meets a unit; select() gives it.
        at.is_unknown = at.is_unknown || (condition_.test().has_unit() && is_plain_number(shape.leaves[leaf].type));
      }
    }
    return at;
  }

  static void note_shared_columns(const SegmentDictionary& dictionary, SegmentPlaces& places) {
    std::set<std::uint32_t> own;
    for (const ShapePlace& at : places.shapes) own.insert(at.columns.begin(), at.columns.end());
    for (std::size_t i = 0; i < places.shapes.size(); ++i) {
      for (const std::uint32_t column : own) {
        const std::vector<std::uint32_t>& all = dictionary.shape_columns(i);
        const std::vector<std::uint32_t>& chosen = places.shapes[i].columns;
        const auto stands = std::count(all.begin(), all.end(), column);
        if (stands == std::count(chosen.begin(), chosen.end(), column)) continue;
        places.shared_columns.insert(column);
        // Its own values and the others cannot be told apart within one record.
        if (std::find(chosen.begin(), chosen.end(), column) != chosen.end()) places.shapes[i].is_unknown = true;
      }
    }
  }

  void note_seen(const SegmentPlaces& places, const RowGroupEntry& entry) const {
    const auto is_in = [](const IndexCount& count, const auto& at) { return !at[count.index].place.is_missing(); };
    const auto is_in_shape = [&](const IndexCount& shape) { return is_in(shape, places.shapes); };
    const auto is_in_stream = [&](const IndexCount& stream) { return is_in(stream, places.streams); };
    const bool is_seen = std::any_of(entry.shape_counts.begin(), entry.shape_counts.end(), is_in_shape) ||
                         std::any_of(entry.stream_counts.begin(), entry.stream_counts.end(), is_in_stream);
    if (is_seen) filter_.note_field_seen(name_.name);
  }

  /// True if no label takes part and each column's matches are the field's.
  static bool is_told_by_shapes(const SegmentPlaces& places, const IndexColumn& shapes, const IndexColumn& streams) {
    for (const std::uint32_t stream : streams.table) {
      if (!places.streams[stream].place.is_missing()) return false;
    }
    for (const std::uint32_t shape : shapes.table) {
      for (const std::uint32_t column : places.shapes[shape].columns) {
        if (places.shared_columns.contains(column)) return false;
      }
    }
    return true;
  }

  bool is_missing_wanted() const { return condition_.test().matches_missing(); }
  bool is_empty_object_wanted() const { return condition_.test().matches(Value::of_empty_object()); }

  Result<RowBitmap> select_by_shapes(const SegmentPlaces& places, const IndexColumn& shapes, RowGroupReader& reader,
                                     ColumnAnswers& answers) {
    RowBitmap rows(rows_in(reader));
    std::vector<std::uint8_t> whole(shapes.table.size(), 0);  // shapes all of whose records match
    for (std::size_t i = 0; i < shapes.table.size(); ++i) {
      const ShapePlace& at = places.shapes[shapes.table[i]];
      whole[i] = (at.place.is_missing() && is_missing_wanted()) || (at.has_empty_object && is_empty_object_wanted());
      for (const std::uint32_t column : at.columns) {
        DENDRO_TRY_ASSIGN(const RowBitmap* const found, answers.rows(column));
        rows |= *found;
      }
    }
    if (std::find(whole.begin(), whole.end(), 1) != whole.end()) {
      for (std::size_t row = 0; row < shapes.codes.size(); ++row) {
        if (whole[shapes.codes[row]] != 0) rows.set(row);
      }
    }
    return rows;
  }

  Result<RowBitmap> select_by_row(const SegmentPlaces& places, const IndexColumn& shapes, const IndexColumn& streams,
                                  RowGroupReader& reader, ColumnAnswers& answers) {
    std::vector<std::vector<const RowBitmap*>> found(shapes.table.size());
    for (std::size_t i = 0; i < shapes.table.size(); ++i) {
      for (const std::uint32_t column : places.shapes[shapes.table[i]].columns) {
        DENDRO_TRY_ASSIGN(const RowBitmap* const rows, answers.rows(column));
        found[i].push_back(rows);
      }
    }
    RowBitmap rows(rows_in(reader));
    for (std::uint32_t row = 0; row < shapes.codes.size(); ++row) {
      const ShapePlace& in_shape = places.shapes[shapes.table[shapes.codes[row]]];
      const StreamPlace& in_stream = places.streams[streams.table[streams.codes[row]]];
      bool matches = false;
      if (in_stream.place.rank < in_shape.place.rank) {
        matches = in_stream.matches;
      } else if (in_shape.place.is_missing()) {
        matches = is_missing_wanted();
      } else {
        const std::vector<const RowBitmap*>& columns = found[shapes.codes[row]];
        matches =
            (in_shape.has_empty_object && is_empty_object_wanted()) ||
            std::any_of(columns.begin(), columns.end(), [row](const RowBitmap* column) { return column->test(row); });
      }
      if (matches) rows.set(row);
    }
    return rows;
  }

  const FieldName name_;
  ConditionScan condition_;
  const RecordFilter& filter_;
  std::map<SegmentId, SegmentPlaces> known_;
};

}  // namespace

ScanNodePtr make_field_scan(const FieldTest& test, const RecordFilter& filter) {
  return std::make_unique<FieldScan>(test, filter);
}

}  // namespace dendro
