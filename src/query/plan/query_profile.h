#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "record/record_source.h"
#include "storage/scan_profile.h"

namespace dendro {

/// What came out of an operator, and how long that took with everything before it.
struct OperatorProfile {
  std::uint64_t rows = 0;  ///< records count as many as they stand for
  std::chrono::nanoseconds time{0};
};

/// What the operators of one plan did.
struct PipelineProfile {
  std::shared_ptr<ScanProfile> scan = std::make_shared<ScanProfile>();
  OperatorProfile scanned;             ///< the leaf
  OperatorProfile ordered;             ///< in the order that the first step takes
  std::vector<OperatorProfile> steps;  ///< of QueryPlan::steps
};

/// What a run did, for who asked to have it explained. Not thread-safe.
struct QueryProfile {
  std::map<std::string, PipelineProfile> pipelines;  ///< by SubPlan::text; the query itself is ""
  std::optional<SourceCounts> source;                ///< of files
};

}  // namespace dendro
