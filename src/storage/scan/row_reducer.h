#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "filter/field_reader.h"
#include "record/record_block.h"
#include "storage/scan/code_counts.h"
#include "storage/scan/directory_counts.h"
#include "storage/scan/row_bitmap.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/row_group_reader.h"
#include "storage/snapshot.h"

namespace dendro {

/// Hands on the records of a row group as one for each combination of what a reader looks at, with a weight
/// (storage/snapshot.h, Reduction). Not thread-safe: one a scan.
class RowReducer {
 public:
  explicit RowReducer(const Reduction& reduction);

  /// From the directory alone, where its counts tell all: of a row group that is wholly in range, of which the records
  /// of the flagged streams match. False, and nothing counted: it takes columns.
  /// @param streams  a flag for each entry of RowGroupEntry::stream_counts, at least one of them set.
  /// @param counts   of the segment and Reduction::time_step_ns.
  bool count_from_directory(const RowGroupReader& reader, std::span<const std::uint8_t> streams,
                            DirectoryCounts& counts);
  /// Nothing: these fields cannot be told from columns, or nothing would be gained. Errors: those of RowGroupReader.
  Result<std::optional<RecordBlock>> reduce(RowGroupReader& reader, RecordDecoder& decoder, const RowBitmap& rows);

 private:
  /// Where a field stands in the records of one segment.
  struct FieldPlaces {
    struct InShape {
      std::size_t rank = 0;
      /// `stream`: the text of the record's stream.
      enum class Kind : std::uint8_t { missing, column, leaves, severity, stream, unknown } kind = Kind::missing;
      std::uint32_t column = 0;  ///< column, leaves
      bool has_column() const { return kind == Kind::column || kind == Kind::leaves; }
    };
    std::vector<InShape> shapes;        ///< severity set
    std::vector<InShape> shapes_unset;  ///< severity not set
    std::vector<FieldReader::Place> streams;
    bool has_label = false;
    bool has_unknown = false;
  };
  /// A number a record; records with equal numbers have equal values of the field.
  struct Codes {
    std::vector<std::uint32_t> of_row;
    std::uint32_t count = 0;
  };
  const std::vector<FieldPlaces>& places_in(const RowGroupReader& reader);
  /// What decides a field in the records of a row group.
  enum class Told : std::uint8_t { by_nothing, by_stream, by_severity, by_columns };
  /// All records of the row group are in one multiple of time_step_ns, which is set.
  bool is_one_step(const RowGroupEntry& entry) const;
  static Told told_by(const FieldPlaces& places, const RowGroupEntry& entry);
  static FieldPlaces::InShape place_in_shape(const FieldName& field, const SegmentDictionary& dictionary,
                                             std::size_t shape, bool has_severity);
  Result<bool> add_field(RowGroupReader& reader, const FieldPlaces& places, std::vector<std::uint32_t>& columns);
  Result<bool> add_time(RowGroupReader& reader);
  void choose_rows(std::vector<std::uint32_t>& chosen, std::vector<std::uint32_t>& weights);
  void add_last_rows(std::vector<std::uint32_t>& chosen, std::vector<std::uint32_t>& weights) const;
  void combine(const std::vector<std::uint32_t>& codes, std::uint32_t count);
  /// `rows_` and `groups_` of what is at hand, before the first look at either.
  void spread_rows();

  const Reduction reduction_;
  std::vector<FieldName> fields_;
  std::map<SegmentId, std::vector<FieldPlaces>> known_;
  // The row group at hand.
  const RowBitmap* selected_ = nullptr;
  bool is_whole_ = false;              ///< all of it matches
  std::optional<CodeCounts> counted_;  ///< all there is to know, where one column tells it
  bool is_spread_ = false;
  std::vector<std::uint32_t> rows_;    ///< those that match
  std::vector<std::uint32_t> groups_;  ///< of each
  std::uint32_t group_count_ = 0;
};

}  // namespace dendro
