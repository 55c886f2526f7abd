#pragma once

#include <cstddef>

#include "query/plan/query_plan.h"

namespace dendro {

/// Fills `plan.steps`, `output`, `limit`, the warnings and uses of later pipes: the part of planning that goes pipe by
/// pipe, from the one at `first_pipe` on (those before are the scan's filter). The plan has its range, zone and planned
/// sub-queries already. Errors and `fault`: as prepare_query.
Status add_steps(QueryPlan& plan, std::size_t first_pipe, QueryFault& fault);

/// True if a row in is at least a row out, in the same order, whatever the other rows are.
bool keeps_rows(const Pipe& pipe);

}  // namespace dendro
