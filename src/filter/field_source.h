#pragma once

#include <functional>

#include "filter/field_name.h"
#include "record/value.h"

namespace dendro {

/// Takes one value; false = enough. The value lives until it returns.
using ValueVisitor = std::function<bool(const Value&)>;

/// One row that a filter is asked about by itself: a record behind some pipes, a row of a table.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  /// Each present value of the field: one, or several where a path stands more than once.
  virtual void visit_field(const FieldName& field, const ValueVisitor& visit) const = 0;
  /// Each value that a text filter without a field searches.
  virtual void visit_searchable(const ValueVisitor& visit) const = 0;
};

}  // namespace dendro
