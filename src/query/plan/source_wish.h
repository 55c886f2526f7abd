#pragma once

#include "parse/record_wish.h"

namespace dendro {

struct QueryPlan;

/// What a run of the plan will look at of the records of its input: so that a source that reads files makes no more of
/// them. Answers, counts and warnings are the same as of whole records.
RecordWish source_wish(const QueryPlan& plan);

}  // namespace dendro
