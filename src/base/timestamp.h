#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong_int.h"

namespace dendro {

/// UTC nanoseconds since 1970-01-01, without leap seconds. Covers 1677-09-21 to 2262-04-11.
using Timestamp = StrongInt<struct TimestampTag, std::int64_t>;

inline constexpr std::int64_t kNanosPerMicro = 1'000;
inline constexpr std::int64_t kNanosPerMilli = 1'000'000;
inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNanosPerDay = 86'400 * kNanosPerSecond;
inline constexpr Timestamp kTimestampMin{std::numeric_limits<std::int64_t>::min()};
inline constexpr Timestamp kTimestampMax{std::numeric_limits<std::int64_t>::max()};

/// [first, last).
struct TimeRange {
  Timestamp first = kTimestampMin;
  Timestamp last = kTimestampMax;
  bool contains(Timestamp t) const { return first <= t && t < last; }
  bool overlaps(Timestamp min, Timestamp max_inclusive) const { return min < last && first <= max_inclusive; }
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

/// Days since 1970-01-01 of a proleptic Gregorian date. Source: H. Hinnant, chrono-compatible low-level date
/// algorithms.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);

struct CivilTime {
  std::int64_t year = 1970;
  unsigned month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::uint32_t nanosecond = 0;
};
CivilTime to_civil(Timestamp t);
/// "20260131": the UTC day, the folder of a segment.
std::string day_text(Timestamp t);
/// Start of the UTC day that holds `t`.
Timestamp day_start(Timestamp t);

/// Appends "2026-11-20T10:00:00.123456789Z" with `fraction_digits` (0 to 9; 0 = no point), truncated, not rounded.
void append_rfc3339(std::string& out, Timestamp t, int fraction_digits = 9);
std::string to_rfc3339(Timestamp t, int fraction_digits = 9);

/// A whole RFC 3339 date-time: `T`, `t` or blank between date and time, any number of fraction digits after `.` or `,`
/// (beyond nine truncated), `Z`, `z`, `+hh:mm`, `+hhmm`, `+hh` or nothing (= `default_offset_s` east of UTC).
/// Nothing if malformed (month 13, day 30 of February, hour 24) or out of Timestamp's range; second 60 counts as the
/// next second.
std::optional<Timestamp> parse_rfc3339(std::string_view text, std::int32_t default_offset_s = 0);

/// How a time was written, so that it can be printed back: digits of the fraction, "T" and "Z" exactly.
/// Nothing unless append_rfc3339(parse(text), digits) gives `text` again.
std::optional<int> canonical_rfc3339_digits(std::string_view text, Timestamp parsed);

/// Epoch number by size: below 1e11 s, 1e14 ms, 1e17 us, else ns (clients.md 2.7; by absolute value).
std::optional<Timestamp> timestamp_from_epoch(std::int64_t number);
/// The same of decimal text: "1700000000", "1700000000.25" (decimals are seconds), "-1.5". Nothing if not such text or
/// out of range.
std::optional<Timestamp> parse_epoch(std::string_view text);

}  // namespace dendro
