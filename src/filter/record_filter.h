#pragma once

#include <cstdint>
#include <vector>

#include "record/record_batch.h"

namespace dendro {

/// A filter made ready to run. Immutable; thread-safe.
class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  /// Keeps those of `rows` (ascending indices into `batch`) that match, in order.
  virtual void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const = 0;
};

}  // namespace dendro
