#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"

namespace dendro {

/// How local clocks go in one zone: UTC, a fixed offset, or a zone of the system's tz database with its changes of
/// daylight saving time. Immutable; thread-safe.
class TimeZone {
 public:
  virtual ~TimeZone() = default;
  static std::shared_ptr<const TimeZone> utc();
  /// @param offset_s  seconds east of UTC.
  static std::shared_ptr<const TimeZone> fixed(std::int32_t offset_s);
  /// "Europe/Berlin"; also "UTC", "Z", "" and offsets as "+01:00".
  /// Errors: invalid_argument (no such zone); unavailable (the system has no tz database: install tzdata).
  static Result<std::shared_ptr<const TimeZone>> find(std::string_view name);

  /// As it was asked for; offsets as "+01:00", UTC as "UTC".
  virtual const std::string& name() const = 0;
  virtual bool is_fixed() const = 0;
  /// Seconds east of UTC at that instant.
  virtual std::int32_t offset_at(Timestamp instant) const = 0;
  /// The instant at which local clocks show so many nanoseconds since 1970-01-01T00:00 local time: the earlier one
  /// where clocks show it twice, the end of the gap where they skip it. Clamped to what a Timestamp can hold.
  virtual Timestamp instant_of(std::int64_t local_ns) const = 0;

  /// What local clocks show at that instant, as nanoseconds since 1970-01-01T00:00 local time; clamped.
  std::int64_t local_ns(Timestamp instant) const;
};

/// `UTC`, `Z`, `+01:00`, `-0530`, empty: seconds east of UTC. Nothing otherwise.
std::optional<std::int32_t> parse_utc_offset(std::string_view text);
/// "+01:00".
std::string utc_offset_text(std::int32_t offset_s);

}  // namespace dendro
