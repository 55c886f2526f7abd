#pragma once

#include <memory>
#include <vector>

#include "query/plan/query_engine.h"
#include "query/rows/cell.h"

namespace dendro {

/// The whole answer of a query as values, for use cases that make something else of it.
struct QueryTable {
  std::vector<std::vector<Cell>> rows;  ///< cells in the order of the table's columns, or of the request's `fields`
  QueryOutcome outcome;
};

/// Runs the query to its end on the calling thread: until the input ends, time is up, or `options.cancel` says so; what
/// is known then is the answer, and `outcome` says why it ended. `options.format` is not used. The query must be a
/// table or name its `fields`, and bound its rows: all of them are kept.
/// Errors: those of opening the input.
Result<QueryTable> run_to_table(const PreparedQuery& query, std::shared_ptr<QueryInput> input, QueryRunOptions options,
                                const Clock& clock);

}  // namespace dendro
