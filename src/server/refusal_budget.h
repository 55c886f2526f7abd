#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "base/ids.h"
#include "base/mutex.h"

namespace dendro {

/// How many refused callers a tenant's trail names, so that whoever is refused again and again cannot fill the disk: a
/// hundred at once, then one a second. The others are counted, and the next one named says how many. Thread-safe.
class RefusalBudget {
 public:
  static constexpr std::uint64_t kBurst = 100;
  static constexpr std::chrono::seconds kStep{1};
  /// Tenants that have a share of their own; further ones share one.
  static constexpr std::size_t kTenantsMax = 1'000;

  /// @param now  monotonic.
  /// @return how many were left out since the last that was named; nothing: leave this one out too.
  std::optional<std::uint64_t> try_take(const TenantId& tenant, std::chrono::nanoseconds now);
  /// Refusals that no entry names, since the start.
  std::uint64_t left_out_total() const;

 private:
  struct Share {
    std::chrono::nanoseconds full_at{0};  ///< when all of kBurst would be there again
    std::uint64_t left_out = 0;
  };
  mutable Mutex mutex_;
  std::map<TenantId, Share> shares_ DENDRO_GUARDED_BY(mutex_);
  Share rest_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t left_out_total_ DENDRO_GUARDED_BY(mutex_) = 0;
};

}  // namespace dendro
