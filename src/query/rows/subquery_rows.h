#pragma once

#include <map>
#include <memory>
#include <string>

#include "query/rows/row_batch.h"

namespace dendro {

/// Rows of a sub-query, all of them, with what they are: the right side of `join` and its like. Immutable.
struct SubqueryRows {
  RowShape shape;
  RowBatch rows;
};
/// By the canonical text of the sub-query.
using SubqueryTables = std::map<std::string, std::shared_ptr<const SubqueryRows>, std::less<>>;

}  // namespace dendro
