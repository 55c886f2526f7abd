#include "storage/scan/row_reducer.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "storage/scan/floor_multiple.h"

namespace dendro {
namespace {

constexpr std::uint32_t kNoGroup = std::numeric_limits<std::uint32_t>::max();
/// Combinations for which a table is made; more are hashed.
constexpr std::uint64_t kDirectTableMax = std::uint64_t{1} << 18;

}  // namespace

RowReducer::RowReducer(const Reduction& reduction) : reduction_(reduction) {
  for (const std::string& name : reduction_.fields) fields_.push_back(resolve_field_name(name));
}

bool RowReducer::is_one_step(const RowGroupEntry& entry) const {
  return floor_multiple(entry.min_timestamp.number(), reduction_.time_step_ns) ==
         floor_multiple(entry.max_timestamp.number(), reduction_.time_step_ns);
}

RowReducer::FieldPlaces::InShape RowReducer::place_in_shape(const FieldName& field, const SegmentDictionary& dictionary,
                                                            std::size_t shape, bool has_severity) {
  using Kind = FieldPlaces::InShape::Kind;
  const FieldReader::Place place = FieldReader::find_in_shape(field, dictionary.shapes()[shape], has_severity);
  FieldPlaces::InShape at;
  at.rank = place.rank;
  if (place.is_missing()) return at;
  at.kind = Kind::unknown;
  if (place.kind == FieldKind::severity || place.kind == FieldKind::severity_number) {
    at.kind = Kind::severity;
  } else if (place.kind == FieldKind::stream_text) {
    at.kind = Kind::stream;
  } else if ((place.kind == FieldKind::attribute || place.kind == FieldKind::template_id) && place.leaves.size() == 1) {
    const std::vector<std::uint32_t>& columns = dictionary.shape_columns(shape);
    at.column = columns[place.leaves.front()];
    // A column that the record has twice has two values; which one is the field's is not told here.
    if (at.column != kNoColumn && std::count(columns.begin(), columns.end(), at.column) == 1) {
      at.kind = place.kind == FieldKind::attribute ? Kind::column : Kind::leaves;
    }
  }
  return at;
}

const std::vector<RowReducer::FieldPlaces>& RowReducer::places_in(const RowGroupReader& reader) {
  const auto [known, is_new] = known_.emplace(reader.segment().info().id, std::vector<FieldPlaces>());
  if (!is_new) return known->second;
  const SegmentDictionary& dictionary = reader.dictionary();
  for (const FieldName& field : fields_) {
    FieldPlaces& places = known->second.emplace_back();
    for (std::size_t shape = 0; shape < dictionary.shapes().size(); ++shape) {
      places.shapes.push_back(place_in_shape(field, dictionary, shape, true));
      places.shapes_unset.push_back(place_in_shape(field, dictionary, shape, false));
    }
    for (const Stream& stream : dictionary.streams()) {
      places.streams.push_back(FieldReader::find_in_stream(field, stream));
      places.has_label = places.has_label || !places.streams.back().is_missing();
    }
  }
  return known->second;
}

void RowReducer::spread_rows() {
  if (is_spread_) return;
  is_spread_ = true;
  rows_.clear();
  selected_->for_each([this](std::uint32_t row) { rows_.push_back(row); });
  groups_.assign(rows_.size(), 0);
}

/// Splits each group by the codes of its rows.
void RowReducer::combine(const std::vector<std::uint32_t>& codes, std::uint32_t count) {
  spread_rows();
  const std::uint64_t combinations = std::uint64_t{group_count_} * count;
  std::uint32_t next = 0;
  if (combinations <= kDirectTableMax) {
    std::vector<std::uint32_t> table(combinations, kNoGroup);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      std::uint32_t& group = table[std::uint64_t{groups_[i]} * count + codes[rows_[i]]];
      if (group == kNoGroup) group = next++;
      groups_[i] = group;
    }
  } else {
    std::unordered_map<std::uint64_t, std::uint32_t> table;
    table.reserve(rows_.size() / 4);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto [group, is_new] = table.emplace(std::uint64_t{groups_[i]} * count + codes[rows_[i]], next);
      next += is_new ? 1 : 0;
      groups_[i] = group->second;
    }
  }
  group_count_ = next;
}

Result<bool> RowReducer::add_time(RowGroupReader& reader) {
  if (reduction_.time_step_ns == 0) return true;
  const RowGroupEntry& entry = reader.entry();
  const std::int64_t first = floor_multiple(entry.min_timestamp.number(), reduction_.time_step_ns);
  const std::int64_t last = floor_multiple(entry.max_timestamp.number(), reduction_.time_step_ns);
  if (first == last) return true;
  const std::uint64_t steps =
      static_cast<std::uint64_t>(last - first) / static_cast<std::uint64_t>(reduction_.time_step_ns) + 1;
  if (steps > entry.record_count) return false;
  DENDRO_TRY_ASSIGN(const auto times, reader.timestamps());
  std::vector<std::uint32_t> codes(entry.record_count);
  // Records come by time, so a step is left once and for all.
  std::int64_t bound = first + reduction_.time_step_ns;
  std::uint32_t code = 0;
  for (std::size_t row = 0; row < codes.size(); ++row) {
    if (times->values[row] >= bound) {
      const std::int64_t step = floor_multiple(times->values[row], reduction_.time_step_ns);
      code = static_cast<std::uint32_t>((step - first) / reduction_.time_step_ns);
      bound = step + reduction_.time_step_ns;
    }
    codes[row] = code;
  }
  combine(codes, static_cast<std::uint32_t>(steps));
  return true;
}

Result<bool> RowReducer::add_field(RowGroupReader& reader, const FieldPlaces& places,
                                   std::vector<std::uint32_t>& kept_columns) {
  using InShape = FieldPlaces::InShape;
  using Kind = InShape::Kind;
  DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
  // What the codes are made of: 0 is missing, then each column's, then severities, then streams.
  struct ColumnCodes {
    std::uint32_t column = 0;
    std::uint32_t first_code = 0;
    std::shared_ptr<const ValueCodes> values;
    std::shared_ptr<const LeafCodes> leaves;  ///< instead of `values`
    std::shared_ptr<const RowMap> rows;
    const std::vector<std::uint16_t>& codes() const { return leaves != nullptr ? leaves->of_value : values->codes; }
    std::uint32_t count() const {
      return leaves != nullptr ? static_cast<std::uint32_t>(leaves->leaves.size()) : values->count;
    }
  };
  std::vector<ColumnCodes> columns;
  std::uint32_t code_count = 1;
  bool has_severity = false;
  for (const std::uint32_t shape : shapes->table) {
    for (const InShape* at : {&places.shapes[shape], &places.shapes_unset[shape]}) {
      if (at->kind == Kind::unknown || at->kind == Kind::stream) return false;
      has_severity = has_severity || at->kind == Kind::severity;
      if (!at->has_column() || std::any_of(columns.begin(), columns.end(),
                                           [&](const ColumnCodes& known) { return known.column == at->column; })) {
        continue;
      }
      const ColumnEntry* entry = reader.entry().find_column(at->column);
      const bool needs_values = at->kind == Kind::column;
      if (entry == nullptr || (needs_values && entry->layout == ColumnLayout::templates) ||
          entry->layout == ColumnLayout::times) {
        return false;
      }
      ColumnCodes& own = columns.emplace_back();
      own.column = at->column;
      own.first_code = code_count;
      if (needs_values) {
        DENDRO_TRY_ASSIGN(own.values, reader.value_codes(*entry));
      } else {
        DENDRO_TRY_ASSIGN(own.leaves, reader.leaf_codes(*entry));
      }
      DENDRO_TRY_ASSIGN(own.rows, reader.rows_of(*entry));
      code_count += own.count();
      kept_columns.push_back(at->column);
    }
  }
  const bool is_plain = columns.size() <= 1 && !has_severity && !places.has_label;
  // A shape may have the column under another role than the field's.
  const bool is_column = is_plain && columns.size() == 1 &&
                         std::all_of(shapes->table.begin(), shapes->table.end(), [&](std::uint32_t shape) {
                           const std::vector<std::uint32_t>& all = reader.dictionary().shape_columns(shape);
                           return places.shapes[shape].has_column() ||
                                  std::find(all.begin(), all.end(), columns.front().column) == all.end();
                         });
  const bool is_label = columns.empty() && !has_severity && places.has_label;
  const bool is_alone = is_whole_ && !is_spread_ && fields_.size() == 1 && !reduction_.keeps_extremes;
  if (is_alone && is_column) {
    const ColumnCodes& column = columns.front();
    counted_ = count_codes(column.codes(), column.count(), *column.rows, reader.entry().record_count);
    return true;
  }
  if (is_alone && is_label) {
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    const RowMap every_row{.is_identity = true, .rows = {}};
    counted_ = count_codes(streams->codes, static_cast<std::uint32_t>(streams->table.size()), every_row,
                           reader.entry().record_count);
    return true;
  }
  spread_rows();
  std::vector<std::uint32_t> codes(shapes->codes.size(), 0);
  for (const ColumnCodes& column : columns) {
    const std::vector<std::uint16_t>& of_value = column.codes();
    for (std::size_t value = 0; value < of_value.size(); ++value) {
      codes[column.rows->row_of(value)] = column.first_code + of_value[value];
    }
  }
  if (!is_plain) {
    // Which of several places is the field's is a matter of the record's shape, severity and stream.
    DENDRO_TRY_ASSIGN(const auto severities, reader.severities());
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    const std::uint32_t first_severity = code_count;
    const std::uint32_t first_stream = first_severity + 32;
    code_count = first_stream + static_cast<std::uint32_t>(streams->table.size());
    for (const std::uint32_t row : rows_) {
      const std::uint32_t severity = severities->values[row] & 0x7F;
      const std::uint32_t shape = shapes->table[shapes->codes[row]];
      const InShape& at = severity != 0 ? places.shapes[shape] : places.shapes_unset[shape];
      if (places.streams[streams->table[streams->codes[row]]].rank < at.rank) {
        codes[row] = first_stream + streams->codes[row];
      } else if (at.kind == Kind::severity) {
        codes[row] = first_severity + severity;
      } else if (at.kind == Kind::missing) {
        codes[row] = 0;
      } else {
        // Another column's value may have overwritten this one's.
        const auto own = std::find_if(columns.begin(), columns.end(),
                                      [&](const ColumnCodes& column) { return column.column == at.column; });
        codes[row] = own->first_code + own->codes()[*own->rows->value_of(row)];
      }
    }
  } else if (!columns.empty() && !is_column) {
    for (std::size_t row = 0; row < codes.size(); ++row) {
      if (places.shapes[shapes->table[shapes->codes[row]]].kind == Kind::missing) codes[row] = 0;
    }
  }
  combine(codes, code_count);
  return true;
}

Result<std::optional<RecordBlock>> RowReducer::reduce(RowGroupReader& reader, RecordDecoder& decoder,
                                                      const RowBitmap& rows) {
  const std::size_t matches = rows.count();
  if (matches == 0) return std::optional<RecordBlock>();
  selected_ = &rows;
  is_whole_ = matches == reader.entry().record_count;
  is_spread_ = false;
  counted_.reset();
  group_count_ = 1;
  std::vector<std::uint32_t> kept_columns;
  DENDRO_TRY_ASSIGN(bool is_told, add_time(reader));
  for (const FieldPlaces& places : places_in(reader)) {
    if (!is_told) break;
    DENDRO_TRY_ASSIGN(is_told, add_field(reader, places, kept_columns));
  }
  if (!is_told) return std::optional<RecordBlock>();

  std::vector<std::uint32_t> chosen, weights;
  if (counted_) {
    chosen = std::move(counted_->rows);
    weights = std::move(counted_->weights);
  } else {
    choose_rows(chosen, weights);
  }
  decoder.keep_columns(std::move(kept_columns));
  DENDRO_TRY_ASSIGN(RecordBlock block, decoder.decode(chosen));
  block.weights = std::move(weights);
  return std::optional<RecordBlock>(std::move(block));
}

/// The first row of each group, which ascend, and how many it has.
void RowReducer::choose_rows(std::vector<std::uint32_t>& chosen, std::vector<std::uint32_t>& weights) {
  if (!is_spread_ && !reduction_.keeps_extremes) {
    chosen = {selected_->first()};
    weights = {static_cast<std::uint32_t>(selected_->count())};
    return;
  }
  spread_rows();
  chosen.assign(group_count_, kNoGroup);
  weights.assign(group_count_, 0);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (weights[groups_[i]]++ == 0) chosen[groups_[i]] = rows_[i];
  }
  if (reduction_.keeps_extremes) add_last_rows(chosen, weights);
}

/// One record of the group's weight goes to its last row.
void RowReducer::add_last_rows(std::vector<std::uint32_t>& chosen, std::vector<std::uint32_t>& weights) const {
  std::vector<std::uint32_t> last_rows(group_count_, 0);
  for (std::size_t i = 0; i < rows_.size(); ++i) last_rows[groups_[i]] = rows_[i];
  std::vector<std::pair<std::uint32_t, std::uint32_t>> both;  // row, weight
  for (std::size_t group = 0; group < group_count_; ++group) {
    const bool has_last = last_rows[group] != chosen[group];
    both.emplace_back(chosen[group], weights[group] - (has_last ? 1u : 0u));
    if (has_last) both.emplace_back(last_rows[group], 1u);
  }
  std::sort(both.begin(), both.end());
  chosen.clear();
  weights.clear();
  for (const auto& [row, weight] : both) {
    chosen.push_back(row);
    weights.push_back(weight);
  }
}

}  // namespace dendro
