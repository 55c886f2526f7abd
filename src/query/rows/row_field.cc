#include "query/rows/row_field.h"

#include "filter/leaf_walk.h"

namespace dendro {

RowField::RowField(std::string name, const RowShape& shape)
    : name_(resolve_field_name(name)),
      reader_(name_),
      is_table_(shape.is_table),
      is_visible_(shape.is_visible(name)),
      column_(shape.is_table ? shape.column_of(name) : 0) {}

Value RowField::read(const RowBatch& rows, std::size_t index) {
  if (!is_visible_) return Value::of_null();
  if (is_table_) return rows.table[index][column_].value();
  const RecordRow& row = rows.records[index];
  if (!reader_.reads(*row.batch)) reader_.start(*row.batch);
  return reader_.first(row.row, row.origin());
}

void RowField::visit(const RowBatch& rows, std::size_t index, const ValueVisitor& visit) {
  if (!is_visible_) return;
  if (is_table_) {
    const Value value = rows.table[index][column_].value();
    if (!value.is_missing()) visit(value);
    return;
  }
  const RecordRow& row = rows.records[index];
  if (!reader_.reads(*row.batch)) reader_.start(*row.batch);
  reader_.visit(row.row, row.origin(), visit);
}

void RowSource::visit_field(const FieldName& field, const ValueVisitor& visit) const {
  RowField(field.name, shape_).visit(rows_, index_, visit);
}

void RowSource::visit_searchable(const ValueVisitor& visit) const {
  if (shape_.is_table) {
    for (const Cell& cell : rows_.table[index_]) {
      const Value value = cell.value();
      if (!value.is_missing() && value.type != ValueType::time && !visit(value)) return;
    }
    return;
  }
  const RecordView record = rows_.records[index_].record();
  bool goes_on = true;
  record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
    if (!is_searchable_leaf(leaf) || !shape_.is_visible(leaf.path)) return true;
    goes_on = visit(value);
    return goes_on;
  });
  if (!goes_on) return;
  for (const StreamLabel& label : record.stream().labels) {
    if (label.path != kSourceLabel && shape_.is_label_visible(label.path) && !visit(label.value)) return;
  }
}

}  // namespace dendro
