#pragma once

#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "base/result.h"
#include "record/record_block.h"
#include "record/record_source.h"
#include "storage/snapshot.h"

namespace dendro {

inline constexpr std::uint64_t kKeptInputBytesMax = std::uint64_t{512} << 20;

/// Where a query finds its records: opens one pass over them. Used by one run at a time.
class QueryInput {
 public:
  virtual ~QueryInput() = default;
  /// Errors: those of opening; what fails later is the source's. Blocks may be without rows: none yet.
  virtual Result<std::unique_ptr<BlockSource>> open(const ScanRequest& request) = 0;
  /// What such a pass would read takes. Errors: those of Snapshot::block_stats.
  virtual Result<std::unique_ptr<BlockStatsSource>> block_stats(const ScanRequest&) {
    return Error(ErrorCode::unimplemented, "block_stats needs a store: files have no blocks");
  }
  /// Said before the first pass where there will be several: an input that can be read once keeps what it read, up to
  /// kKeptInputBytesMax; beyond it, later passes fail with too_large.
  virtual void expect_passes() {}
  /// What was read so far, of files; nothing where that is the scan's to say.
  virtual std::optional<SourceCounts> source_counts() const { return std::nullopt; }
  /// False: blocks come in any order of time (files), so the newest rows are known only at the end.
  virtual bool is_ordered() const = 0;
};

/// Over what a tenant has stored.
std::shared_ptr<QueryInput> make_snapshot_input(std::shared_ptr<const Snapshot> snapshot);
/// Over files or stdin: records are numbered 1, 2, .. as they are read. `source` outlives the input, or is taken over;
/// it can be read once, so the input opens once.
std::shared_ptr<QueryInput> make_source_input(RecordSource& source);
std::shared_ptr<QueryInput> make_source_input(std::unique_ptr<RecordSource> source);

}  // namespace dendro
