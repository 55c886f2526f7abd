#include "services/search/query_slots.h"

#include <string>

namespace dendro {

Result<std::shared_ptr<QuerySlots::Slot>> QuerySlots::take(const TenantId& tenant) {
  const std::uint32_t limit = limit_of_(tenant);
  MutexLock lock(mutex_);
  std::uint32_t& taken = taken_[tenant];
  if (limit > 0 && taken >= limit) {
    return Error(ErrorCode::resource_exhausted, "Tenant " + tenant.text() + " may run " + std::to_string(limit) +
                                                    " queries at once (quota.queries_at_once)");
  }
  ++taken;
  return std::shared_ptr<Slot>(new Slot(*this, tenant));
}

void QuerySlots::give_back(const TenantId& tenant) {
  MutexLock lock(mutex_);
  const auto found = taken_.find(tenant);
  if (--found->second == 0) taken_.erase(found);
}

}  // namespace dendro
