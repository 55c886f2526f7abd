#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "meta/meta_database.h"

namespace dendro {

struct ShortLink {
  std::string code;  ///< 10 base62 characters
  std::string path;  ///< of a page, with its query string
  Timestamp expires;
};

/// Short codes for long paths of pages. Who opens one sees what their own rights allow; they go with the tenant in
/// which they were made. Thread-safe; every call may wait for the disk.
class ShortLinks {
 public:
  static constexpr std::size_t kPathBytesMax = std::size_t{16} << 10;
  static constexpr std::size_t kLinksMax = 100'000;
  static constexpr std::size_t kPerTenantMax = 10'000;  ///< so that none can use up the others'
  static constexpr std::chrono::hours kLifetime{24 * 90};

  /// All outlive this.
  ShortLinks(MetaDatabase& database, const Clock& clock, RandomSource& random)
      : database_(database), clock_(clock), random_(random) {}

  /// The same path gets a new code each time. Drops what has expired. Errors: invalid_argument (no path of our own: it
  /// must begin with one "/"), too_large, resource_exhausted (kLinksMax or kPerTenantMax
  /// live ones).
  Result<ShortLink> create(const TenantId& tenant, const std::string& path);
  /// Errors: not_found (never made, or expired).
  Result<ShortLink> open(std::string_view code) const;

 private:
  MetaDatabase& database_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace dendro
