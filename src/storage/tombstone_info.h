#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/strong_int.h"
#include "base/timestamp.h"

namespace dendro {

using TombstoneId = StrongInt<struct TombstoneIdTag, std::uint64_t>;

/// Why records go. Numbers are on disk (docs/formats/manifest.md).
enum class TombstoneOrigin : std::uint8_t {
  request = 0,         ///< somebody asked for it
  retention_rule = 1,  ///< a rule of StreamRetention; at most one of a rule and tenant is live
};

/// Marker of a deletion as the manifest keeps it: takes every record of the tenant inside the range that the predicate
/// matches and whose sequence number is at most `sequence`.
struct TombstoneInfo {
  TombstoneId id;
  TenantId tenant = TenantId::default_tenant();
  TimeRange range;
  SequenceNumber sequence;
  std::string predicate;  ///< as encode_predicate gives it
  Timestamp created;      ///< of the wall clock; 0: an earlier version did not say
  TombstoneOrigin origin = TombstoneOrigin::request;
  friend bool operator==(const TombstoneInfo&, const TombstoneInfo&) = default;
};

}  // namespace dendro
