#include "services/search/pattern_slots.h"

#include <algorithm>
#include <map>

#include "query/run/query_table.h"

namespace dendro {
namespace {

constexpr std::size_t kSlotValues = 10;

using SlotCounts = std::map<std::string, std::uint64_t, std::less<>>;

PatternSlot slot_of(const SlotCounts& counts) {
  PatternSlot slot;
  slot.distinct = counts.size();
  slot.values.assign(counts.begin(), counts.end());
  std::sort(slot.values.begin(), slot.values.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (slot.values.size() > kSlotValues) slot.values.resize(kSlotValues);
  return slot;
}

}  // namespace

Result<PatternSlots> count_pattern_slots(const PatternRow& pattern, QueryRequest query,
                                         const std::shared_ptr<const Snapshot>& snapshot,
                                         const QueryRunOptions& options, const Clock& clock, QueryFault& fault) {
  query.fields = {"body"};
  query.limit = kPatternBodiesMax;
  DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(query, fault));
  DENDRO_TRY_ASSIGN(const QueryTable table, run_to_table(prepared, make_snapshot_input(snapshot), options, clock));
  PatternSlots slots;
  std::vector<SlotCounts> counts(pattern.slot_types.size());
  for (const std::vector<Cell>& row : table.rows) {
    ++slots.bodies;
    const auto values = align_pattern(pattern.parts, row[0].value().text);
    if (!values || values->size() != counts.size()) continue;
    ++slots.aligned;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto known = counts[i].find((*values)[i]);
      if (known == counts[i].end()) {
        counts[i].emplace((*values)[i], 1);
      } else {
        ++known->second;
      }
    }
  }
  for (const SlotCounts& slot : counts) slots.slots.push_back(slot_of(slot));
  return slots;
}

}  // namespace dendro
