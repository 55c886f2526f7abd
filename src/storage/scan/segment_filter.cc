#include "storage/scan/segment_filter.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "filter/compiled_filter.h"
#include "filter/field_reader.h"
#include "filter/leaf_walk.h"
#include "record/limits.h"
#include "record/record_batch_builder.h"

namespace dendro {
namespace {

/// One node of the tree. Not thread-safe.
class ScanNode {
 public:
  virtual ~ScanNode() = default;
  virtual Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) = 0;
  /// Rough cost; a conjunction asks the cheap ones first and stops when nothing is left.
  virtual int cost() const = 0;
};
using ScanNodePtr = std::unique_ptr<ScanNode>;

std::size_t rows_in(const RowGroupReader& reader) {
  return reader.entry().record_count;
}

class EverythingScan final : public ScanNode {
 public:
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    return RowVerdict::all_of(rows_in(reader), true);
  }
  int cost() const override { return 0; }
};

/// What only RecordFilter::select can tell.
class UnknownScan final : public ScanNode {
 public:
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    return RowVerdict::unknown(rows_in(reader));
  }
  int cost() const override { return 0; }
};

class ConjunctionScan final : public ScanNode {
 public:
  explicit ConjunctionScan(std::vector<ScanNodePtr> parts) : parts_(std::move(parts)) {
    std::sort(parts_.begin(), parts_.end(),
              [](const ScanNodePtr& a, const ScanNodePtr& b) { return a->cost() < b->cost(); });
  }
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), true);
    for (const ScanNodePtr& part : parts_) {
      DENDRO_TRY_ASSIGN(const RowVerdict own, part->select(reader, probe));
      verdict &= own;
      if (verdict.possible.none()) break;
    }
    return verdict;
  }
  int cost() const override { return parts_.back()->cost(); }

 private:
  std::vector<ScanNodePtr> parts_;
};

class DisjunctionScan final : public ScanNode {
 public:
  explicit DisjunctionScan(std::vector<ScanNodePtr> parts) : parts_(std::move(parts)) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    for (const ScanNodePtr& part : parts_) {
      DENDRO_TRY_ASSIGN(const RowVerdict own, part->select(reader, probe));
      verdict |= own;
    }
    return verdict;
  }
  int cost() const override { return 60; }

 private:
  std::vector<ScanNodePtr> parts_;
};

class NegationScan final : public ScanNode {
 public:
  explicit NegationScan(ScanNodePtr operand) : operand_(std::move(operand)) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    DENDRO_TRY_ASSIGN(RowVerdict verdict, operand_->select(reader, probe));
    verdict.invert();
    return verdict;
  }
  int cost() const override { return operand_->cost(); }

 private:
  ScanNodePtr operand_;
};

class TimeScan final : public ScanNode {
 public:
  explicit TimeScan(TimeRange range) : range_(range) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    const RowGroupEntry& entry = reader.entry();
    if (range_.first >= range_.last || !range_.overlaps(entry.min_timestamp, entry.max_timestamp)) return verdict;
    DENDRO_TRY_ASSIGN(const auto times, reader.timestamps());
    const auto begin = times->values.begin();
    const auto first = std::lower_bound(begin, times->values.end(), range_.first.number());
    const auto last = std::lower_bound(first, times->values.end(), range_.last.number());
    verdict.possible.set_range(static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - begin));
    verdict.certain = verdict.possible;
    return verdict;
  }
  int cost() const override { return 1; }

 private:
  const TimeRange range_;
};

/// Something that is decided once a stream of a segment, by asking the real filter about a record that is nothing but
/// its stream.
class StreamScan final : public ScanNode {
 public:
  explicit StreamScan(std::shared_ptr<const CompiledFilter> filter) : filter_(std::move(filter)) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    const std::vector<std::uint8_t>& accepted = verdicts(reader);
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    const std::vector<IndexCount>& counts = reader.entry().stream_counts;
    const auto is_accepted = [&](const IndexCount& count) { return accepted[count.index] != 0; };
    if (std::none_of(counts.begin(), counts.end(), is_accepted)) return verdict;
    if (std::all_of(counts.begin(), counts.end(), is_accepted)) return RowVerdict::all_of(rows_in(reader), true);
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    for (std::size_t row = 0; row < streams->codes.size(); ++row) {
      if (accepted[streams->table[streams->codes[row]]] != 0) verdict.possible.set(row);
    }
    verdict.certain = verdict.possible;
    return verdict;
  }
  int cost() const override { return 2; }

 private:
  const std::vector<std::uint8_t>& verdicts(const RowGroupReader& reader) {
    std::vector<std::uint8_t>& accepted = known_[reader.segment().info().id];
    const std::vector<Stream>& streams = reader.dictionary().streams();
    if (!accepted.empty() || streams.empty()) return accepted;
    accepted.assign(streams.size(), 0);
    for (std::size_t first = 0; first < streams.size(); first += kMaxBatchRecords) {
      RecordBatchBuilder builder{Timestamp()};
      const std::size_t last = std::min(streams.size(), first + kMaxBatchRecords);
      for (std::size_t i = first; i < last; ++i) {
        builder.begin_record();
        for (const StreamLabel& label : streams[i].labels) builder.add_label(label.path, label.value);
        builder.end_record();
      }
      std::vector<std::uint32_t> rows(last - first);
      for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
      filter_->select(*builder.finish(), rows);
      for (const std::uint32_t row : rows) accepted[first + row] = 1;
    }
    return accepted;
  }

  const std::shared_ptr<const CompiledFilter> filter_;
  std::map<SegmentId, std::vector<std::uint8_t>> known_;
};

class SeverityScan final : public ScanNode {
 public:
  explicit SeverityScan(const SeverityTest& test) : name_(resolve_field_name(test.field)), numbers_(test.numbers) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    if (has_other_place(reader)) return RowVerdict::unknown(rows_in(reader));
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    const std::vector<MinuteCount>& counts = reader.entry().minute_counts;
    const auto is_wanted = [this](const MinuteCount& count) { return (numbers_ >> count.severity & 1) != 0; };
    if (std::none_of(counts.begin(), counts.end(), is_wanted)) return verdict;
    if (std::all_of(counts.begin(), counts.end(), is_wanted)) return RowVerdict::all_of(rows_in(reader), true);
    DENDRO_TRY_ASSIGN(const auto severities, reader.severities());
    for (std::size_t row = 0; row < severities->values.size(); ++row) {
      if ((numbers_ >> (severities->values[row] & 0x7F) & 1) != 0) verdict.possible.set(row);
    }
    verdict.certain = verdict.possible;
    return verdict;
  }
  int cost() const override { return 1; }

 private:
  /// An attribute or label of that name may answer instead of the column.
  bool has_other_place(const RowGroupReader& reader) {
    const auto [known, is_new] = known_.emplace(reader.segment().info().id, false);
    if (!is_new) return known->second;
    for (const FieldCandidate& candidate : name_.candidates) {
      if (candidate.path.empty()) continue;
      for (const Shape& shape : reader.dictionary().shapes()) {
        known->second = known->second || std::any_of(shape.leaves.begin(), shape.leaves.end(), [&](const Leaf& leaf) {
                          return (leaf.role == LeafRole::attribute || leaf.role == LeafRole::body_part) &&
                                 leaf.path == candidate.path;
                        });
      }
      for (const Stream& stream : reader.dictionary().streams()) {
        known->second = known->second || stream.find(candidate.path) != nullptr;
      }
    }
    return known->second;
  }

  const FieldName name_;
  const std::uint32_t numbers_;
  std::map<SegmentId, bool> known_;
};

/// Answers of a condition on the columns of one row group, each column asked once.
class ColumnAnswers {
 public:
  ColumnAnswers(ConditionScan& condition, RowGroupReader& reader, FilterProbe& probe)
      : condition_(condition), reader_(reader), probe_(probe) {}
  /// Records with a value in the column for which the condition holds.
  Result<const RowBitmap*> rows(std::uint32_t column) {
    const auto [found, is_new] = answers_.emplace(column, RowBitmap());
    if (is_new) {
      found->second = RowBitmap(rows_in(reader_));
      const ColumnEntry* entry = reader_.entry().find_column(column);
      if (entry != nullptr) DENDRO_TRY(condition_.find(reader_, *entry, probe_, found->second));
    }
    return &found->second;
  }

 private:
  ConditionScan& condition_;
  RowGroupReader& reader_;
  FilterProbe& probe_;
  std::map<std::uint32_t, RowBitmap> answers_;
};

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
    DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    for (const std::uint32_t shape : shapes->table) {
      if (places.shapes[shape].is_unknown) return RowVerdict::unknown(rows_in(reader));
    }
    note_seen(places, *shapes, *streams);
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
    const FieldReader::Place unset = FieldReader::find_in_shape(name_, shape, false);
    const bool is_leaf = at.place.kind == FieldKind::attribute && unset.rank == at.place.rank;
    at.is_unknown = !at.place.is_missing() && !is_leaf;
    if (at.is_unknown || at.place.is_missing()) return at;
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

  void note_seen(const SegmentPlaces& places, const IndexColumn& shapes, const IndexColumn& streams) const {
    const bool is_seen = std::any_of(shapes.table.begin(), shapes.table.end(),
                                     [&](std::uint32_t shape) { return !places.shapes[shape].place.is_missing(); }) ||
                         std::any_of(streams.table.begin(), streams.table.end(),
                                     [&](std::uint32_t stream) { return !places.streams[stream].place.is_missing(); });
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

/// A condition without a field: any stored value.
class AnyValueScan final : public ScanNode {
 public:
  explicit AnyValueScan(const FieldTest& test) : condition_(test.condition) {}

  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    const Searchable& known = searchable_in(reader);
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    RowBitmap& rows = verdict.possible;
    DENDRO_TRY(select_streams(reader, known, rows));
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

  static Status select_streams(RowGroupReader& reader, const Searchable& known, RowBitmap& rows) {
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

ScanNodePtr make_scan_node(const Predicate& predicate, const RecordFilter& filter);

struct ScanNodeMaker {
  const RecordFilter& filter;
  const Predicate& predicate;

  std::vector<ScanNodePtr> parts(const std::vector<Predicate>& predicates) const {
    std::vector<ScanNodePtr> nodes;
    for (const Predicate& part : predicates) nodes.push_back(make_scan_node(part, filter));
    return nodes;
  }
  ScanNodePtr operator()(const Everything&) const { return std::make_unique<EverythingScan>(); }
  ScanNodePtr operator()(const AllOf& all) const { return std::make_unique<ConjunctionScan>(parts(all.parts)); }
  ScanNodePtr operator()(const AnyOf& any) const { return std::make_unique<DisjunctionScan>(parts(any.parts)); }
  ScanNodePtr operator()(const Negation& negated) const {
    return std::make_unique<NegationScan>(make_scan_node(*negated.operand, filter));
  }
  ScanNodePtr operator()(const FieldTest& test) const {
    if (test.field.empty()) return std::make_unique<AnyValueScan>(test);
    return std::make_unique<FieldScan>(test, filter);
  }
  ScanNodePtr operator()(const SeverityTest& test) const { return std::make_unique<SeverityScan>(test); }
  ScanNodePtr operator()(const TimeTest& test) const {
    if (resolve_field_name(test.field).candidates.front().kind != FieldKind::time)
      return std::make_unique<UnknownScan>();
    return std::make_unique<TimeScan>(test.range);
  }
  ScanNodePtr operator()(const LabelTest&) const { return by_stream(); }
  ScanNodePtr operator()(const LabelMatch&) const { return by_stream(); }
  ScanNodePtr operator()(const FieldComparison&) const { return std::make_unique<UnknownScan>(); }

 private:
  ScanNodePtr by_stream() const { return std::make_unique<StreamScan>(compile_filter(predicate)); }
};

ScanNodePtr make_scan_node(const Predicate& predicate, const RecordFilter& filter) {
  return std::visit(ScanNodeMaker{filter, predicate}, predicate.node);
}

class TreeSegmentFilter final : public SegmentFilter {
 public:
  TreeSegmentFilter(ScanNodePtr root, const RecordFilter& filter) : root_(std::move(root)), filter_(filter) {}
  Result<RowVerdict> select(RowGroupReader& reader) override {
    if (told_.insert(reader.segment().info().id).second) {
      filter_.note_kinds(reader.dictionary().shapes(), reader.dictionary().streams());
    }
    FilterProbe probe(reader);
    return root_->select(reader, probe);
  }

 private:
  ScanNodePtr root_;
  const RecordFilter& filter_;
  std::set<SegmentId> told_;
};

}  // namespace

std::unique_ptr<SegmentFilter> make_segment_filter(const RecordFilter& filter) {
  const std::optional<FilterMeaning> meaning = filter.meaning();
  if (!meaning) return nullptr;
  ScanNodePtr root = make_scan_node(*meaning->predicate, filter);
  if (meaning->excludes_dead_letters) {
    std::vector<ScanNodePtr> parts;
    parts.push_back(std::make_unique<StreamScan>(compile_filter(Predicate{Everything{}}, {true})));
    parts.push_back(std::move(root));
    root = std::make_unique<ConjunctionScan>(std::move(parts));
  }
  return std::make_unique<TreeSegmentFilter>(std::move(root), filter);
}

}  // namespace dendro
