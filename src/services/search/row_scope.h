#pragma once

#include "query/query_engine.h"
#include "query/query_plan.h"

namespace dendro {

/// What a view beside the rows (volume, facets, patterns) looks at: the records that the filter of a query keeps, and
/// the `where` pipes right behind it, which is what the answer of the query calls `matched`.
///
/// `planned`: the whole query. Gives a request for the same records and range, its pipes `pipes` alone; limit, cursor,
/// fields and order of the first are gone. Its text is canonical, so what fails in it has no place in the user's.
QueryRequest scope_request(const PreparedQuery& planned, std::vector<Pipe> pipes);

}  // namespace dendro
