#include "server/refusal_budget.h"

#include <algorithm>
#include <utility>

namespace dendro {

std::optional<std::uint64_t> RefusalBudget::try_take(const TenantId& tenant, std::chrono::nanoseconds now) {
  MutexLock lock(mutex_);
  const auto known = shares_.find(tenant);
  Share& share = known != shares_.end() ? known->second : shares_.size() < kTenantsMax ? shares_[tenant] : rest_;
  const std::chrono::nanoseconds full_at = std::max(share.full_at, now) + kStep;
  if (full_at - now > kStep * kBurst) {
    ++share.left_out;
    ++left_out_total_;
    return std::nullopt;
  }
  share.full_at = full_at;
  return std::exchange(share.left_out, 0);
}

std::uint64_t RefusalBudget::left_out_total() const {
  MutexLock lock(mutex_);
  return left_out_total_;
}

}  // namespace dendro
