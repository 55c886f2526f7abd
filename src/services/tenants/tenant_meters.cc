#include "services/tenants/tenant_meters.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace dendro {
namespace {

/// A query is worth as much as a thousand records, about what it costs.
std::uint64_t weight_of(const TenantMeters::Counts& counts) {
  return counts.records + 1'000 * (counts.queries + counts.refusals);
}

}  // namespace

TenantMeters::Counts& TenantMeters::Counts::operator+=(const Counts& more) {
  records += more.records;
  bytes += more.bytes;
  queries += more.queries;
  refusals += more.refusals;
  return *this;
}

void TenantMeters::add(const TenantId& tenant, const Counts& more) {
  MutexLock lock(mutex_);
  auto known = tenants_.find(tenant);
  if (known == tenants_.end() && tenants_.size() < kKnownMax) known = tenants_.emplace(tenant, Tenant()).first;
  (known == tenants_.end() ? other_ : known->second.counts) += more;
}

void TenantMeters::forget(const TenantId& tenant) {
  MutexLock lock(mutex_);
  const auto known = tenants_.find(tenant);
  if (known == tenants_.end()) return;
  if (known->second.has_place) --taken_;
  // Of one with a place the label ends; of the others `other` must not shrink.
  if (!known->second.has_place) other_ += known->second.counts;
  tenants_.erase(known);
}

void TenantMeters::give_places_locked() {
  using Entry = std::pair<const TenantId, Tenant>;
  std::vector<Entry*> waiting;
  for (Entry& entry : tenants_) {
    if (!entry.second.has_place) waiting.push_back(&entry);
  }
  const std::size_t free = std::min(places_ - taken_, waiting.size());
  std::partial_sort(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(free), waiting.end(),
                    [](const Entry* a, const Entry* b) {
                      const auto left = weight_of(a->second.counts), right = weight_of(b->second.counts);
                      return left != right ? left > right : a->first < b->first;
                    });
  for (std::size_t i = 0; i < free; ++i) {
    Tenant& tenant = waiting[i]->second;
    other_ += std::exchange(tenant.counts, {});
    tenant.has_place = true;
    ++taken_;
  }
}

std::map<std::string, TenantMeters::Counts> TenantMeters::read() {
  MutexLock lock(mutex_);
  give_places_locked();
  std::map<std::string, Counts> labels;
  Counts& other = labels[kOther] = other_;
  for (const auto& [tenant, state] : tenants_) {
    if (state.has_place) {
      labels[tenant.text()] += state.counts;
    } else {
      other += state.counts;
    }
  }
  return labels;
}

}  // namespace dendro
