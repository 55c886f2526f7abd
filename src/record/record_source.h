#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "record/record_batch.h"

namespace dendro {

/// What a source has read so far.
struct SourceCounts {
  std::uint64_t files = 0;        ///< opened
  std::uint64_t bytes = 0;        ///< as they lie there: packed, where they are
  std::uint64_t plain_bytes = 0;  ///< unpacked
  std::uint64_t lines = 0;        ///< that were cut out, blank ones too; of JSON: its records
};

/// Where records are pulled from, batch by batch: files, stdin, a scan. Not thread-safe.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  /// The next batch, never an empty one; null at the end. An error is final.
  virtual Result<std::shared_ptr<const RecordBatch>> next() = 0;
  /// Nothing: it does not count.
  virtual std::optional<SourceCounts> source_counts() const { return std::nullopt; }
};

}  // namespace dendro
