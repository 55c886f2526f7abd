#pragma once

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "query/plan/query_engine.h"
#include "record/record_batch.h"

namespace dendro {

struct QueryPlan;

/// Names of fields met while scanning, as many as help to guess what a misspelt one meant. Thread-safe.
class FieldCensus {
 public:
  /// Looks at the first batches only: names repeat.
  void look_at(const RecordBatch& batch) { look_at(batch.shapes(), batch.streams()); }
  void look_at(const std::vector<Shape>& shapes, const std::vector<Stream>& streams);
  std::vector<std::string> names() const;
  bool is_empty() const { return batches_.load(std::memory_order_relaxed) == 0; }
  /// True if no batch went by without being looked at, so that a name not among names() is one that no record had.
  bool is_whole() const;

 private:
  std::atomic<std::uint64_t> batches_{0};
  mutable Mutex mutex_;
  std::set<std::string, std::less<>> names_ DENDRO_GUARDED_BY(mutex_);
};

/// Adds `unknown_field`, with the nearest name within two edits, and `unit_mismatch` (query-language.md 10) for the
/// fields of the first filter; the first also for fields of records that later pipes read.
void add_field_warnings(const QueryPlan& plan, const FieldCensus& census, std::vector<QueryWarning>& warnings);

}  // namespace dendro
