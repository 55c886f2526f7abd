#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "services/tail/tail_query.h"
#include "storage/snapshot.h"

namespace dendro {

struct ReplayLimits {
  std::size_t rows_max = 0;
  std::size_t bytes_max = 0;
};

/// Records that a tail missed: the newest of them, in order of sequence.
struct TailReplay {
  std::vector<RecordBlock> blocks;
  std::uint64_t left_out = 0;    ///< matching records before those of `blocks`
  SequenceNumber left_out_last;  ///< the last of them
};

/// Looks through a range of sequence numbers of a snapshot. Blocks. If time runs out everything is left out, as far as
/// it was counted. Errors: cancelled, io_error.
Result<TailReplay> replay_records(const Snapshot& snapshot, const TailQuery& query, SequenceRange range,
                                  ReplayLimits limits, const CancelToken& cancel, const Clock& clock);

}  // namespace dendro
