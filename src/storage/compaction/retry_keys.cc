#include "storage/compaction/retry_keys.h"

#include <map>

namespace dendro {

std::optional<RetryKeys> collect_retry_keys(const TenantId& tenant, const ManifestState& state, const SegmentList& gone,
                                            Timestamp now, std::chrono::nanoseconds window) {
  std::map<SequenceNumber, KeyedReply> kept;  // a request's records may have been in several segments
  const auto keep = [&](const KeyedReply& keyed) {
    std::int64_t age_ns = 0;
    const bool is_ancient = __builtin_sub_overflow(now.number(), keyed.reply.receive_time.number(), &age_ns);
    if (!is_ancient && age_ns < window.count()) kept.emplace(keyed.reply.first_sequence, keyed);
  };
  const auto before = state.retry_keys.find(tenant);
  const std::size_t count_before = before == state.retry_keys.end() ? 0 : before->second.size();
  if (count_before > 0) {
    for (const KeyedReply& keyed : before->second) keep(keyed);
  }
  const bool has_expired = kept.size() < count_before;
  for (const auto& segment : gone) {
    for (const KeyedReply& keyed : segment->keys()) keep(keyed);
  }
  if (!has_expired && kept.size() == count_before) return std::nullopt;
  RetryKeys keys{tenant, {}};
  for (const auto& [sequence, keyed] : kept) keys.keys.push_back(keyed);
  return keys;
}

}  // namespace dendro
