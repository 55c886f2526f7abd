#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/time_zone.h"
#include "base/timestamp.h"

namespace dendro {

/// How times without a zone and `now` are to be read.
struct TimeReading {
  Timestamp now;
  std::int32_t utc_offset_s = 0;  ///< east of UTC, of the request's `tz`
  /// The same as a zone whose offset changes; null: utc_offset_s says it all.
  std::shared_ptr<const TimeZone> zone = nullptr;
};

/// Nanoseconds of `1h30m`, `500ms`, `1.5h`, `-5m`; units ns us µs ms s m h d w y (365 d). Nothing if malformed or
/// beyond 292 years.
std::optional<std::int64_t> parse_duration(std::string_view text);
/// The same, not rounded to whole nanoseconds: what comparisons of durations use.
std::optional<double> parse_duration_amount(std::string_view text);

/// The interval a partial time stands for (query-language.md 7): `2026` a year, `2026-11-20T10:02` a minute; with a
/// fraction, or as an RFC 3339 time of nanosecond precision, one nanosecond. Nothing if it is not such text.
std::optional<TimeRange> parse_partial_time(std::string_view text, std::int32_t utc_offset_s);
/// The same in a zone whose offset changes: a day may have 23 or 25 hours.
std::optional<TimeRange> parse_partial_time(std::string_view text, const TimeReading& reading);
/// `now`, `now-5m`, a partial time, or an epoch number.
std::optional<TimeRange> parse_instant(std::string_view text, const TimeReading& reading);

}  // namespace dendro
