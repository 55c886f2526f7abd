#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "record/record_batch_builder.h"
#include "record/record_block.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/template_values.h"

namespace dendro {

/// Puts records of a row group together again. Not thread-safe; borrows the reader.
class RecordDecoder {
 public:
  explicit RecordDecoder(RowGroupReader& reader) : reader_(reader), builder_(Timestamp()) {}

  /// From now on records come without the values of other columns, as if they had never had them, and without their
  /// receive times.
  void keep_columns(std::vector<std::uint32_t> columns) { kept_columns_ = std::move(columns); }

  /// A block with exactly the records `rows` (ascending, at least one), in that order: its rows are 0, 1, ...
  /// Errors: those of RowGroupReader.
  Result<RecordBlock> decode(std::span<const std::uint32_t> rows);

 private:
  /// What a record is besides its values; borrowed from the reader's tables.
  struct Row {
    Timestamp timestamp;
    SequenceNumber sequence;
    SeverityNumber severity = kSeverityUnset;
    bool severity_is_from_body = false;
    std::uint32_t shape = 0;  ///< of the dictionary, like the stream
    std::uint32_t stream = 0;
  };
  struct KeptLeaf {
    LeafRole role = LeafRole::attribute;
    ValueType type = ValueType::null;
    bool is_stored = false;
    std::uint32_t column = 0;
  };
  struct Column {
    const ColumnEntry* entry = nullptr;
    ValueType type = ValueType::null;
    std::shared_ptr<const RowMap> rows;
    std::shared_ptr<const StringValues> strings;
    std::shared_ptr<const NumberColumn<std::int64_t>> integers;
    std::shared_ptr<const NumberColumn<double>> floats;
    std::shared_ptr<const TimeColumn> times;
    std::unique_ptr<TemplateValues> templates;
    std::uint32_t next_row = 0;    ///< one behind the record of next_value
    std::uint32_t next_value = 0;  ///< behind the one read last: where a reader in order goes on
    bool is_next(std::uint32_t row) const { return next_value < rows->rows.size() && rows->rows[next_value] == row; }
  };
  Status begin();
  Row row_at(std::uint32_t row) const;
  /// Called for each leaf of a record that has a column, in their order. The value lives until the next call.
  Result<Value> value_at(std::uint32_t column, std::uint32_t row);
  Status open();
  Status open_column(Column& column);
  Result<Column*> column_at(std::uint32_t number);
  Status add_record(std::uint32_t row);
  std::shared_ptr<const std::vector<Timestamp>> receive_times_of(const std::vector<SequenceNumber>& sequences) const;
  /// The shape of a record that is met for the first time, without the leaves whose columns are not kept.
  void open_shape(std::uint16_t local, std::uint32_t shape);
  bool keeps(std::uint32_t column) const;
  Status add_leaf(const KeptLeaf& leaf, std::uint32_t row);
  Result<Value> value_of(Column& column, std::uint32_t value);

  RowGroupReader& reader_;
  std::optional<std::vector<std::uint32_t>> kept_columns_;
  bool is_open_ = false;
  std::shared_ptr<const NumberColumn<std::int64_t>> timestamps_, sequences_;
  std::shared_ptr<const NumberColumn<std::uint8_t>> severities_;
  std::shared_ptr<const IndexColumn> shapes_, streams_;
  std::vector<std::unique_ptr<Column>> columns_;  ///< by number, those met so far
  RecordBatchBuilder builder_;
  std::vector<std::int64_t> shape_numbers_, stream_numbers_;  ///< in the batch, by local index; -1 until met
  std::vector<std::vector<KeptLeaf>> kept_leaves_;            ///< by local index of the shape, once it was met
  std::string scratch_;
};

}  // namespace dendro
