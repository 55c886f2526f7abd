#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filter/field_reader.h"
#include "query/language/query_ast.h"
#include "query/rows/cell.h"
#include "record/record_block.h"

namespace dendro {

/// One record on its way through the operators; the batch is kept alive by the RowBatch around it.
struct RecordRow {
  const RecordBatch* batch = nullptr;
  std::uint32_t row = 0;
  SequenceNumber sequence;
  Timestamp receive_time;
  std::uint32_t weight = 1;  ///< of a reduced scan: how many records it stands for
  bool is_match = true;      ///< false: the filter did not ask for it, `context` may
  RecordPosition position() const { return {batch->timestamp(row), sequence}; }
  RecordOrigin origin() const { return {sequence, receive_time}; }
  RecordView record() const { return batch->record(row); }
};

using TableRow = std::vector<Cell>;  ///< one a column of the table

/// Rows that operators hand on: records or rows of a table, never both; which is known from the plan. Move-only by
/// habit.
struct RowBatch {
  std::vector<RecordRow> records;
  std::vector<std::shared_ptr<const RecordBatch>> held;  ///< the batches of `records`
  std::vector<TableRow> table;

  std::size_t size() const { return records.size() + table.size(); }
  bool empty() const { return records.empty() && table.empty(); }
  void hold(const std::shared_ptr<const RecordBatch>& batch) {
    if (held.empty() || held.back() != batch) held.push_back(batch);
  }
};

/// What the rows at one place of a plan are, and which of their fields can be seen.
struct RowShape {
  /// A field, or every field of a prefix, that a pipe set.
  struct Made {
    NamePattern name;
    std::size_t projections_before = 0;  ///< of `projections`: these say nothing about it
  };
  bool is_table = false;
  std::vector<std::string> columns;     ///< table
  std::vector<FieldsPipe> projections;  ///< records: `fields` and `drop` so far, in order
  std::vector<Made> made;               ///< records, in order

  /// True if the pipes so far left the field.
  bool is_visible(std::string_view field) const;
  /// The same of a label of the resource, which a pipe that sets fields by a prefix does not bring back.
  bool is_label_visible(std::string_view label) const;
  /// The last `fields`, or null: whole records.
  const FieldsPipe* kept() const;
  /// What kept() names and what was set behind it, as far as it is visible, in the order of output.
  std::vector<NamePattern> kept_names() const;
  /// A pipe sets a field: of a table a column, a new one unless it has it.
  void make(const NamePattern& name);
  /// A pipe takes a field away.
  void remove(const std::string& name);
  /// A pipe gives a field another name, at the place of the old one.
  void rename(const std::string& from, const std::string& to);
  /// Column of a table; the count of columns if there is none.
  std::size_t column_of(std::string_view name) const;
};

}  // namespace dendro
