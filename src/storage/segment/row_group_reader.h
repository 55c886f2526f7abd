#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/fuse_filter.h"
#include "codec/string_column.h"
#include "storage/scan_profile.h"
#include "storage/segment/piece_cache.h"
#include "storage/segment/segment.h"
#include "storage/segment/template_column.h"

namespace dendro {

/// A decoded column of numbers.
template <typename Number>
struct NumberColumn {
  std::vector<Number> values;
  std::size_t memory_bytes() const { return values.capacity() * sizeof(Number); }
};

/// An index a record: values[i] = table[codes[i]].
struct IndexColumn {
  std::vector<std::uint32_t> table;
  std::vector<std::uint16_t> codes;
  std::size_t memory_bytes() const { return table.capacity() * 4 + codes.capacity() * 2; }
};

/// Times other than the records' own.
struct TimeColumn {
  std::vector<std::int64_t> instants;
  std::vector<std::uint8_t> digits;
  std::size_t memory_bytes() const { return instants.capacity() * 8 + digits.capacity(); }
};

/// Which record each value of a column belongs to.
struct RowMap {
  bool is_identity = false;         ///< every record has exactly one value
  std::vector<std::uint16_t> rows;  ///< otherwise: of each value, ascending
  std::uint32_t row_of(std::size_t value) const {
    return is_identity ? static_cast<std::uint32_t>(value) : rows[value];
  }
  /// The first value of a record, if it has one, at or behind value `from`: near it it is found at once.
  std::optional<std::uint32_t> value_of(std::uint32_t row, std::uint32_t from = 0) const;
  std::size_t memory_bytes() const { return rows.capacity() * 2; }
};

/// The head of a template column, decoded.
struct TemplateColumn {
  struct Local {
    std::uint32_t number = 0;  ///< of the segment's template
    std::uint32_t value_count = 0;
    std::uint32_t first_value = 0;  ///< into `grouped`
    std::uint32_t first_slot = 0;   ///< into `slots`
    std::uint32_t slot_count = 0;
  };
  struct Slot {
    SlotMode mode = SlotMode::pool;
    std::uint32_t target = 0;  ///< pool, constant: index of the first pool value; slot: which slot of the template;
                               ///< column: index into `references`
    ChunkPlace chunk;          ///< chunk
  };
  struct PoolBlock {
    ChunkPlace place;
    std::uint32_t first_value = 0;
    std::uint32_t value_count = 0;
  };
  std::vector<Local> locals;
  std::vector<Slot> slots;
  std::vector<PoolBlock> pool;
  std::vector<std::uint32_t> references;  ///< columns
  ChunkPlace codes_place;
  ChunkPlace whole;
  std::uint32_t whole_count = 0;
  std::vector<std::uint16_t> codes;    ///< a value: its local template
  std::vector<std::uint16_t> grouped;  ///< value indices, by local template, ascending
  std::vector<std::uint16_t> ranks;    ///< a value: its place among those of its template
  std::size_t memory_bytes() const;
};

/// Numbers the different values of a column in the order of their first use.
struct ValueCodes {
  std::vector<std::uint16_t> codes;  ///< of each value
  std::uint32_t count = 0;           ///< of different ones
  std::size_t memory_bytes() const { return codes.capacity() * 2; }
};

/// Which leaf (codec/canonical_leaf.h) each text of a column belongs to.
struct LeafCodes {
  std::vector<std::uint64_t> leaves;    ///< ids, by number
  std::vector<std::uint16_t> of_value;  ///< a value: the number of its leaf
  std::size_t memory_bytes() const { return leaves.capacity() * 8 + of_value.capacity() * 2; }
};

/// The token filter of a row group (token_filter.h says what its keys are).
struct TokenFilterPiece {
  std::unique_ptr<const std::string> bytes;
  FuseFilterView view;  ///< of `bytes`
  std::size_t memory_bytes() const { return bytes->capacity(); }
};

/// Decodes the columns of one row group through the cache. A reader belongs to one thread and one query; what it hands
/// out is immutable and may be shared. Every method's errors: corruption (names file and place), io_error.
class RowGroupReader {
 public:
  /// `segment` and its tables outlive this, and so does the cache.
  RowGroupReader(const Segment& segment, const SegmentTables& tables, std::uint32_t index, PieceCache& cache);

  const RowGroupEntry& entry() const { return entry_; }
  const SegmentDictionary& dictionary() const { return *tables_.dictionary; }
  const Segment& segment() const { return segment_; }
  std::uint32_t index() const { return index_; }
  /// What was read through this so far.
  ReadTally& tally() { return tally_; }
  /// When the request came that held the record of this sequence number.
  Timestamp receive_time(SequenceNumber sequence) const {
    return tables_.receive_time(sequence).value_or(segment_.info().min_timestamp);
  }

  template <typename Piece>
  using Shared = Result<std::shared_ptr<const Piece>>;
  Shared<NumberColumn<std::int64_t>> timestamps();
  Shared<NumberColumn<std::int64_t>> sequences();
  /// Severity number; bit 7: found in the body.
  Shared<NumberColumn<std::uint8_t>> severities();
  Shared<IndexColumn> shapes();
  Shared<IndexColumn> streams();
  Shared<RowMap> rows_of(const ColumnEntry& column);

  /// Layouts strings and time_texts.
  Shared<StringValues> strings(const ColumnEntry& column);
  Shared<NumberColumn<std::int64_t>> integers(const ColumnEntry& column);
  Shared<NumberColumn<double>> floats(const ColumnEntry& column);
  /// Layouts times and time_texts.
  Shared<TimeColumn> times(const ColumnEntry& column);
  /// Of every layout but templates and times. Equal codes are equal values; different codes may be equal, too.
  Shared<ValueCodes> value_codes(const ColumnEntry& column);
  /// Of a column of texts, layouts templates, strings and time_texts.
  Shared<LeafCodes> leaf_codes(const ColumnEntry& column);
  Shared<TemplateColumn> templates(const ColumnEntry& column);
  /// Values of a slot in mode chunk.
  Shared<StringValues> slot_chunk(const ColumnEntry& column, const TemplateColumn& head, std::size_t local,
                                  std::size_t slot);
  Shared<StringValues> pool_block(const ColumnEntry& column, const TemplateColumn& head, std::size_t block);
  /// Values kept whole, in the order of records.
  Shared<StringValues> whole_values(const ColumnEntry& column, const TemplateColumn& head);
  /// Must not be called where entry().filter is empty.
  Shared<TokenFilterPiece> filter();

 private:
  Result<std::string_view> chunk(const ChunkPlace& place, ColumnKind kind);
  Result<std::string> read_block(const BlockPlace& block, ColumnKind kind);
  Error damage(const ColumnEntry* column, const Error& error) const;
  template <typename Piece, typename Load>
  Shared<Piece> piece(std::uint64_t number, Load&& load) {
    return cache_.get<Piece>(PieceKey{segment_.info().id, index_, number}, std::forward<Load>(load));
  }
  /// The same of what stands in the file.
  template <typename Piece, typename Load>
  Shared<Piece> column_piece(ColumnKind kind, std::uint64_t number, Load&& load) {
    ReadTally::Kind& tally = tally_.of(kind);
    ++tally.pieces;
    bool is_cached = true;
    Shared<Piece> found = piece<Piece>(number, [&] {
      is_cached = false;
      return load();
    });
    if (is_cached) ++tally.cached;
    return found;
  }
  Shared<NumberColumn<std::int64_t>> number_piece(ColumnKind kind, std::uint64_t number, const ChunkPlace& place,
                                                  std::size_t count);
  Shared<IndexColumn> index_piece(ColumnKind kind, std::uint64_t number, const ChunkPlace& place,
                                  std::size_t table_size);
  Result<TemplateColumn> load_templates(const ColumnEntry& column);
  Result<RowMap> load_rows(const ColumnEntry& column);
  Result<ValueCodes> load_value_codes(const ColumnEntry& column);
  static std::uint64_t leaf_codes_piece(const ColumnEntry& column);
  Result<LeafCodes> leaf_codes_of_templates(const ColumnEntry& column);
  Result<LeafCodes> leaf_codes_of_strings(const ColumnEntry& column);
  Result<TimeColumn> load_times(const ColumnEntry& column);
  Result<StringValues> load_time_texts(const ColumnEntry& column);

  const Segment& segment_;
  const SegmentTables& tables_;
  const std::uint32_t index_;
  const RowGroupEntry& entry_;
  PieceCache& cache_;
  ReadTally tally_;
  std::map<std::uint32_t, std::string> blocks_;  ///< unpacked ones that several chunks share, for as long as this lives
  std::string last_block_;
  std::uint32_t last_block_number_ = 0xFFFFFFFF;
};

}  // namespace dendro
