#include "parse/analyze/count_types.h"

#include <numeric>
#include <unordered_map>

namespace dendro {

std::string_view skip_reason_name(SkipReason reason) {
  constexpr std::array<std::string_view, kSkipReasonCount> kNames = {"not_utf8", "not_json", "not_object", "too_deep",
                                                                     "too_long"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view skip_reason_text(SkipReason reason) {
  constexpr std::array<std::string_view, kSkipReasonCount> kTexts = {"not UTF-8", "not JSON", "not an object",
                                                                     "deeper than 1024 levels", "longer than 16 MiB"};
  return kTexts[static_cast<std::size_t>(reason)];
}

std::uint64_t CountResult::skipped() const {
  return std::accumulate(skipped_by_reason.begin(), skipped_by_reason.end(), std::uint64_t{0});
}

void CountResult::append(const CountResult& later) {
  total += later.total;
  bytes += later.bytes;
  lines += later.lines;
  for (std::size_t i = 0; i < kSkipReasonCount; ++i) skipped_by_reason[i] += later.skipped_by_reason[i];
  std::unordered_map<std::string_view, std::size_t> place;
  by_service.reserve(by_service.size() + later.by_service.size());  // the views below stay valid
  for (std::size_t i = 0; i < by_service.size(); ++i) place.emplace(by_service[i].first, i);
  for (const auto& [service, count] : later.by_service) {
    const auto found = place.find(service);
    if (found != place.end()) {
      by_service[found->second].second += count;
    } else {
      by_service.emplace_back(service, count);
    }
  }
}

}  // namespace dendro
