#include "parse/analyze/line_tally.h"

#include <algorithm>
#include <vector>

namespace dendro {

void LineTally::merge(const LineTally& other) {
  lines_ += other.lines_;
  for (std::size_t i = 0; i < kSkipReasonCount; ++i) skipped_[i] += other.skipped_[i];
  for (const auto& [name, group] : other.groups_) {
    Group& mine = find_or_make(name, group.first_offset);
    mine.count += group.count;
    mine.first_offset = std::min(mine.first_offset, group.first_offset);
  }
}

CountResult LineTally::result() const {
  CountResult result;
  result.lines = lines_;
  result.skipped_by_reason = skipped_;
  std::vector<const std::pair<const std::string, Group>*> order;
  order.reserve(groups_.size());
  for (const auto& entry : groups_) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](auto* a, auto* b) { return a->second.first_offset < b->second.first_offset; });
  for (const auto* entry : order) {
    result.by_service.emplace_back(entry->first, entry->second.count);
    result.total += entry->second.count;
  }
  return result;
}

}  // namespace dendro
