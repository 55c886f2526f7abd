#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "services/search/pattern_list.h"

namespace dendro {

/// What stands in one slot of a template.
struct PatternSlot {
  std::uint64_t distinct = 0;                                 ///< among the bodies looked at
  std::vector<std::pair<std::string, std::uint64_t>> values;  ///< ten at most, most frequent first, then by text
};
struct PatternSlots {
  std::vector<PatternSlot> slots;
  std::uint64_t bodies = 0;   ///< looked at: the newest, kPatternBodiesMax at most
  std::uint64_t aligned = 0;  ///< of them those that follow the template's text
};

/// `pattern`: a row of list_patterns; `query`: the request its records were found by.
/// Errors: as list_patterns.
Result<PatternSlots> count_pattern_slots(const PatternRow& pattern, QueryRequest query,
                                         const std::shared_ptr<const Snapshot>& snapshot,
                                         const QueryRunOptions& options, const Clock& clock, QueryFault& fault);

}  // namespace dendro
