#pragma once

#include "base/clock.h"
#include "query/plan/query_engine.h"
#include "services/tail/tail_frame.h"
#include "services/tail/tail_query.h"
#include "storage/snapshot.h"

namespace dendro {

/// The whole table of a query over the records of a snapshot whose sequence numbers lie in the range, as a frame of at
/// most kTailFrameBytes; `complete` is false if something is missing. Blocks. `epoch` and `cursor` are the caller's.
/// Errors: those of opening the input.
Result<TailFrame> make_tail_table(std::shared_ptr<const Snapshot> snapshot, const TailQuery& query, SequenceRange range,
                                  const QueryLimits& limits, const CancelToken& cancel, const Clock& clock);

}  // namespace dendro
