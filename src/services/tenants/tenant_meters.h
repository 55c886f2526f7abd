#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/ids.h"
#include "base/mutex.h"

namespace dendro {

/// What tenants do, for metrics with a bounded number of labels. Places are given, when figures are read, to the
/// busiest of those that have none; whoever has one keeps it, so that each figure only ever grows: what a tenant did
/// before it had a place stays in `other`. Thread-safe.
class TenantMeters {
 public:
  /// Tenants that are told apart inside; what others do is counted as `other` only.
  static constexpr std::size_t kKnownMax = 100'000;

  explicit TenantMeters(std::size_t places) : places_(places) {}

  struct Counts {
    std::uint64_t records = 0, bytes = 0;  ///< handed to the journal; bytes as encoded there
    std::uint64_t queries = 0;             ///< begun
    std::uint64_t refusals = 0;            ///< requests over a quota or a bound of the tenant
    Counts& operator+=(const Counts& more);
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  void add(const TenantId& tenant, const Counts& more);
  /// A tenant that was deleted gives its place back; what it did stays in `other`.
  void forget(const TenantId& tenant);

  /// By label: tenants that have a place, and `other`, which is always there.
  std::map<std::string, Counts> read();
  static constexpr const char* kOther = "other";

 private:
  struct Tenant {
    Counts counts;  ///< since it has its place, or since the start
    bool has_place = false;
  };
  void give_places_locked() DENDRO_REQUIRES(mutex_);

  const std::size_t places_;
  Mutex mutex_;
  std::map<TenantId, Tenant> tenants_ DENDRO_GUARDED_BY(mutex_);
  std::size_t taken_ DENDRO_GUARDED_BY(mutex_) = 0;
  Counts other_
      DENDRO_GUARDED_BY(mutex_);  ///< of tenants that have a place now, or are gone; and of those beyond kKnownMax
};

}  // namespace dendro
