#pragma once

#include <memory>

#include "base/result.h"
#include "record/record_batch.h"

namespace dendro {

/// Where records are pulled from, batch by batch: files, stdin, a scan. Not thread-safe.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  /// The next batch, never an empty one; null at the end. An error is final.
  virtual Result<std::shared_ptr<const RecordBatch>> next() = 0;
};

}  // namespace dendro
