#pragma once

#include <string>

#include "filter/field_reader.h"
#include "filter/field_source.h"
#include "query/rows/row_batch.h"

namespace dendro {

/// Reads one named field of rows, records or table, as far as the pipes before left it. Not thread-safe.
class RowField {
 public:
  RowField(std::string name, const RowShape& shape);
  RowField(const RowField&) = delete;
  RowField& operator=(const RowField&) = delete;

  const std::string& name() const { return name_.name; }
  /// The first present value, null if there is none; valid until the next call and as long as the batch.
  Value read(const RowBatch& rows, std::size_t index);
  /// All present values of a record; of a table the cell.
  void visit(const RowBatch& rows, std::size_t index, const ValueVisitor& visit);

 private:
  FieldName name_;
  FieldReader reader_;
  bool is_table_;
  bool is_visible_;
  std::size_t column_;
};

/// One row as filters see it. Borrows all three.
class RowSource final : public FieldSource {
 public:
  RowSource(const RowShape& shape, const RowBatch& rows, std::size_t index)
      : shape_(shape), rows_(rows), index_(index) {}
  void visit_field(const FieldName& field, const ValueVisitor& visit) const override;
  void visit_searchable(const ValueVisitor& visit) const override;

 private:
  const RowShape& shape_;
  const RowBatch& rows_;
  std::size_t index_;
};

}  // namespace dendro
