#pragma once

#include <cstdint>

namespace dendro {

/// Who may still fill memory that all tenants share: below three quarters anyone; in the last quarter only a tenant
/// that holds less than a quarter of the whole, so that one tenant's flood leaves room for the others (engine.md 3.6).
struct FairShare {
  std::uint64_t bytes_max = 0;

  /// `held`: by all; `held_by_tenant`: of those, the tenant's. A tenant that holds nothing may always take what is
  /// free.
  bool admits(std::uint64_t held, std::uint64_t held_by_tenant, std::uint64_t wanted) const {
    if (wanted > bytes_max || held > bytes_max - wanted) return false;
    return !is_scarce(held, wanted) || held_by_tenant == 0 || held_by_tenant + wanted <= bytes_max / 4;
  }
  /// True if it matters which tenant asks.
  bool is_scarce(std::uint64_t held, std::uint64_t wanted) const { return held + wanted > bytes_max / 4 * 3; }
};

}  // namespace dendro
