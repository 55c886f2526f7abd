#include "filter/time_literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace dendro {
namespace {

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::array<std::pair<std::string_view, std::int64_t>, 11> kDurationUnits = {{
    {"ns", 1},
    {"us", kNanosPerMicro},
    {"\xC2\xB5s", kNanosPerMicro},  // U+00B5
    {"\xCE\xBCs", kNanosPerMicro},  // U+03BC
    {"ms", kNanosPerMilli},
    {"s", kNanosPerSecond},
    {"m", 60 * kNanosPerSecond},
    {"h", 3'600 * kNanosPerSecond},
    {"d", kNanosPerDay},
    {"w", 7 * kNanosPerDay},
    {"y", 365 * kNanosPerDay},
}};

std::int64_t duration_unit(std::string_view unit) {
  for (const auto& [name, nanoseconds] : kDurationUnits) {
    if (name == unit) return nanoseconds;
  }
  return 0;
}

/// One `12.5h` at the front of `text`, taken from it: nanoseconds; nothing if there is none.
std::optional<long double> take_duration_part(std::string_view& text) {
  std::uint64_t mantissa = 0;
  long double divisor = 1;
  std::size_t at = 0;
  bool has_digits = false;
  bool in_fraction = false;
  for (; at < text.size() && (is_decimal(text[at]) || (text[at] == '.' && !in_fraction && has_digits)); ++at) {
    if (text[at] == '.') {
      in_fraction = true;
      continue;
    }
    if (mantissa > UINT64_MAX / 10 - 10) return std::nullopt;
    mantissa = mantissa * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (in_fraction) divisor *= 10;
    has_digits = true;
  }
  if (!has_digits || text[at - 1] == '.') return std::nullopt;
  std::size_t end = at;
  while (end < text.size() && !is_decimal(text[end])) ++end;
  const std::int64_t unit = duration_unit(text.substr(at, end - at));
  if (unit == 0) return std::nullopt;
  text.remove_prefix(end);
  return static_cast<long double>(mantissa) * static_cast<long double>(unit) / divisor;
}

std::optional<long double> parse_duration_exactly(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !is_decimal(text[0])) return std::nullopt;
  long double total = 0;
  while (!text.empty()) {
    const auto part = take_duration_part(text);
    if (!part) return std::nullopt;
    total += *part;
  }
  return negative ? -total : total;
}

/// Cuts digits off the front of a date.
class DateCutter {
 public:
  explicit DateCutter(std::string_view rest) : rest_(rest) {}
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<unsigned> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    unsigned number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_decimal(rest_[i])) return std::nullopt;
      number = number * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

unsigned days_in_month(unsigned year, unsigned month) {
  const std::int64_t first = days_from_civil(year, month, 1);
  const std::int64_t next = month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);
  return static_cast<unsigned>(next - first);
}

/// [first, last) seconds since the epoch as a range; nothing if it leaves what a Timestamp can hold.
std::optional<TimeRange> range_of_seconds(std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kSecondsMax = INT64_MAX / kNanosPerSecond - 1;
  if (first < -kSecondsMax || last > kSecondsMax) return std::nullopt;
  return TimeRange{Timestamp(first * kNanosPerSecond), Timestamp(last * kNanosPerSecond)};
}

std::optional<TimeRange> instant_range(Timestamp instant) {
  return TimeRange{instant, instant == kTimestampMax ? instant : instant.next()};
}

/// The zone at the end of a partial time; nothing if the text is not one.
std::optional<std::int32_t> partial_zone(std::string_view text, std::int32_t default_offset_s) {
  if (text.empty()) return default_offset_s;
  return text == "UTC" ? std::nullopt : parse_utc_offset(text);
}

}  // namespace

std::optional<double> parse_duration_amount(std::string_view text) {
  const auto amount = parse_duration_exactly(text);
  return amount ? std::optional<double>(static_cast<double>(*amount)) : std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  const auto amount = parse_duration_exactly(text);
  if (!amount || std::fabs(*amount) > static_cast<long double>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(*amount);
}

std::optional<TimeRange> parse_partial_time(std::string_view text, std::int32_t utc_offset_s) {
  DateCutter cutter(text);
  const auto year = cutter.digits(4);
  if (!year || *year < 1600) return std::nullopt;
  const auto finish = [&](std::int64_t day, std::int64_t second, std::int64_t seconds) -> std::optional<TimeRange> {
    const auto zone = partial_zone(cutter.rest(), utc_offset_s);
    if (!zone) return std::nullopt;
    const std::int64_t first = day * 86'400 + second - *zone;
    return range_of_seconds(first, first + seconds);
  };
  if (!cutter.take('-')) {
    const std::int64_t first = days_from_civil(*year, 1, 1);
    return finish(first, 0, (days_from_civil(*year + 1, 1, 1) - first) * 86'400);
  }
  const auto month = cutter.digits(2);
  if (!month || *month < 1 || *month > 12) return std::nullopt;
  if (!cutter.rest().starts_with('-') || cutter.rest().size() < 3 || !is_decimal(cutter.rest()[1]) ||
      (cutter.rest().size() > 3 && cutter.rest()[3] == ':')) {
    return finish(days_from_civil(*year, *month, 1), 0, std::int64_t{days_in_month(*year, *month)} * 86'400);
  }
  cutter.take('-');
  const auto day = cutter.digits(2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
  const std::int64_t days = days_from_civil(*year, *month, *day);
  if (!cutter.take('T') && !cutter.take('t')) return finish(days, 0, 86'400);
  const auto hour = cutter.digits(2);
  if (!hour || *hour > 23) return std::nullopt;
  if (!cutter.take(':')) return finish(days, std::int64_t{*hour} * 3600, 3600);
  const auto minute = cutter.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  if (!cutter.take(':')) return finish(days, std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60, 60);
  const auto second = cutter.digits(2);
  if (!second || *second > 60) return std::nullopt;
  if (cutter.rest().starts_with('.') || cutter.rest().starts_with(',')) {
    const auto instant = parse_rfc3339(text, utc_offset_s);
    return instant ? instant_range(*instant) : std::nullopt;
  }
  return finish(days, std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60 + *second, 1);
}

std::optional<TimeRange> parse_partial_time(std::string_view text, const TimeReading& reading) {
  const auto interval = parse_partial_time(text, reading.zone == nullptr ? reading.utc_offset_s : 0);
  if (reading.zone == nullptr || !interval) return interval;
  const bool has_own_zone = parse_partial_time(text, 60) == interval;
  if (has_own_zone) return interval;
  const Timestamp first = reading.zone->instant_of(interval->first.number());
  const Timestamp last = reading.zone->instant_of(interval->last.number());
  return TimeRange{first, std::max(last, first == kTimestampMax ? first : first.next())};
}

std::optional<TimeRange> parse_instant(std::string_view text, const TimeReading& reading) {
  if (text == "now") return instant_range(reading.now);
  if (text.starts_with("now-")) {
    const auto back = parse_duration(text.substr(4));
    std::int64_t instant = 0;
    if (!back || __builtin_sub_overflow(reading.now.number(), *back, &instant)) return std::nullopt;
    return instant_range(Timestamp(instant));
  }
  if (const auto partial = parse_partial_time(text, reading)) return partial;
  const auto epoch = parse_epoch(text);
  return epoch ? instant_range(*epoch) : std::nullopt;
}

}  // namespace dendro
