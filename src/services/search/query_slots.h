#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"

namespace dendro {

/// Counts the queries of each tenant against what it may have at once. Thread-safe.
class QuerySlots {
 public:
  /// How many a tenant may have; 0: any number. Must not block.
  using LimitOf = std::function<std::uint32_t(const TenantId&)>;
  explicit QuerySlots(LimitOf limit_of) : limit_of_(std::move(limit_of)) {}

  /// One query, until this goes. May not outlive QuerySlots.
  class Slot {
   public:
    ~Slot() { owner_.give_back(tenant_); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

   private:
    friend class QuerySlots;
    Slot(QuerySlots& owner, TenantId tenant) : owner_(owner), tenant_(std::move(tenant)) {}
    QuerySlots& owner_;
    const TenantId tenant_;
  };
  /// Errors: resource_exhausted (the tenant's quota queries_at_once).
  Result<std::shared_ptr<Slot>> take(const TenantId& tenant);

 private:
  void give_back(const TenantId& tenant);
  const LimitOf limit_of_;
  Mutex mutex_;
  std::map<TenantId, std::uint32_t> taken_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
