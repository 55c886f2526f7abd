#include "base/timestamp.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace dendro {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads exactly `digits` decimal digits at `offset`; false if there are fewer.
bool read_digits(std::string_view text, std::size_t offset, std::size_t digits, unsigned& out) {
  if (text.size() < offset + digits) return false;
  unsigned number = 0;
  for (std::size_t i = offset; i < offset + digits; ++i) {
    if (!is_digit(text[i])) return false;
    number = number * 10 + static_cast<unsigned>(text[i] - '0');
  }
  out = number;
  return true;
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

constexpr std::int64_t kSecondsLimit = std::numeric_limits<std::int64_t>::max() / kNanosPerSecond;

/// `nanos` in (-1 s, 1 s).
std::optional<Timestamp> from_seconds(std::int64_t seconds, std::int64_t nanos) {
  if (seconds < -kSecondsLimit - 1 || seconds > kSecondsLimit) return std::nullopt;
  if (seconds < 0 && nanos > 0) {  // count down from the next second: the product alone may be below the range
    seconds += 1;
    nanos -= kNanosPerSecond;
  }
  std::int64_t total = 0;
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &total) || __builtin_add_overflow(total, nanos, &total))
    return std::nullopt;
  return Timestamp(total);
}

/// Fraction digits at the front of `text` as nanoseconds, truncated after nine; advances `text`. False if there is
/// none.
bool take_fraction(std::string_view& text, std::int64_t& nanos) {
  std::size_t count = 0;
  nanos = 0;
  while (count < text.size() && is_digit(text[count])) {
    if (count < 9) nanos = nanos * 10 + (text[count] - '0');
    ++count;
  }
  for (std::size_t i = count; i < 9; ++i) nanos *= 10;
  text.remove_prefix(count);
  return count > 0;
}

/// Reads "", "Z", "+hh", "+hhmm", "+hh:mm" to the end of `text`.
std::optional<std::int64_t> parse_offset(std::string_view text, std::int64_t default_offset_s) {
  if (text.empty()) return default_offset_s;
  if (text == "Z" || text == "z") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!read_digits(text, 1, 2, hours)) return std::nullopt;
  if (text.size() == 6 && text[3] == ':') {
    if (!read_digits(text, 4, 2, minutes)) return std::nullopt;
  } else if (text.size() == 5) {
    if (!read_digits(text, 3, 2, minutes)) return std::nullopt;
  } else if (text.size() != 3) {
    return std::nullopt;
  }
  if (hours > 23 || minutes > 59) return std::nullopt;
  const std::int64_t offset = static_cast<std::int64_t>(hours) * 3600 + static_cast<std::int64_t>(minutes) * 60;
  return text[0] == '-' ? -offset : offset;
}

/// For positive `b`.
std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}
std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  return a % b < 0 ? a % b + b : a % b;
}

}  // namespace

std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = floor_div(year, 400);
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

CivilTime to_civil(Timestamp t) {
  const std::int64_t days = floor_div(t.number(), kNanosPerDay);
  const std::int64_t nanos_of_day = floor_mod(t.number(), kNanosPerDay);
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = floor_div(shifted, 146097);
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  CivilTime civil;
  civil.day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  civil.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  civil.year = static_cast<std::int64_t>(year_of_era) + era * 400 + (civil.month <= 2 ? 1 : 0);
  const auto seconds = static_cast<unsigned>(nanos_of_day / kNanosPerSecond);
  civil.hour = seconds / 3600;
  civil.minute = seconds / 60 % 60;
  civil.second = seconds % 60;
  civil.nanosecond = static_cast<std::uint32_t>(nanos_of_day % kNanosPerSecond);
  return civil;
}

std::string day_text(Timestamp t) {
  std::string text = to_rfc3339(t, 0);
  return text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2);
}

Timestamp day_start(Timestamp t) {
  const std::int64_t days = floor_div(t.number(), kNanosPerDay);
  std::int64_t start = 0;
  // The first representable day is cut by the range of int64.
  return __builtin_mul_overflow(days, kNanosPerDay, &start) ? kTimestampMin : Timestamp(start);
}

void append_rfc3339(std::string& out, Timestamp t, int fraction_digits) {
  const CivilTime civil = to_civil(t);
  char text[32];
  const auto put = [&text](std::size_t offset, unsigned number, std::size_t digits) {
    for (std::size_t i = digits; i-- > 0; number /= 10) text[offset + i] = static_cast<char>('0' + number % 10);
  };
  put(0, static_cast<unsigned>(civil.year), 4);  // Timestamp's years are 1677 to 2262
  put(5, civil.month, 2);
  put(8, civil.day, 2);
  put(11, civil.hour, 2);
  put(14, civil.minute, 2);
  put(17, civil.second, 2);
  put(20, civil.nanosecond, 9);
  text[4] = text[7] = '-';
  text[10] = 'T';
  text[13] = text[16] = ':';
  text[19] = '.';
  out.append(text, fraction_digits > 0 ? 20 + static_cast<std::size_t>(fraction_digits) : 19);
  out.push_back('Z');
}

std::string to_rfc3339(Timestamp t, int fraction_digits) {
  std::string text;
  append_rfc3339(text, t, fraction_digits);
  return text;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text, std::int32_t default_offset_s) {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool shaped = read_digits(text, 0, 4, year) && text.size() >= 19 && text[4] == '-' &&
                      read_digits(text, 5, 2, month) && text[7] == '-' && read_digits(text, 8, 2, day) &&
                      (text[10] == 'T' || text[10] == 't' || text[10] == ' ') && read_digits(text, 11, 2, hour) &&
                      text[13] == ':' && read_digits(text, 14, 2, minute) && text[16] == ':' &&
                      read_digits(text, 17, 2, second);
  if (!shaped || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::string_view rest = text.substr(19);
  std::int64_t nanos = 0;
  if (!rest.empty() && (rest[0] == '.' || rest[0] == ',')) {
    rest.remove_prefix(1);
    if (!take_fraction(rest, nanos)) return std::nullopt;
  }
  const std::optional<std::int64_t> offset = parse_offset(rest, default_offset_s);
  if (!offset) return std::nullopt;
  const std::int64_t seconds = days_from_civil(year, month, day) * 86400 + std::int64_t{hour} * 3600 +
                               std::int64_t{minute} * 60 + second - *offset;
  return from_seconds(seconds, nanos);
}

std::optional<int> canonical_rfc3339_digits(std::string_view text, Timestamp parsed) {
  if (text.size() != 20 && (text.size() < 22 || text.size() > 30)) return std::nullopt;
  const int digits = text.size() == 20 ? 0 : static_cast<int>(text.size()) - 21;
  return to_rfc3339(parsed, digits) == text ? std::optional<int>(digits) : std::nullopt;
}

std::optional<Timestamp> timestamp_from_epoch(std::int64_t number) {
  const std::uint64_t size = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::int64_t scale = 1;
  if (size < 100'000'000'000ULL) {
    scale = kNanosPerSecond;
  } else if (size < 100'000'000'000'000ULL) {
    scale = kNanosPerMilli;
  } else if (size < 100'000'000'000'000'000ULL) {
    scale = kNanosPerMicro;
  }
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(number, scale, &nanos)) return std::nullopt;
  return Timestamp(nanos);
}

std::optional<Timestamp> parse_epoch(std::string_view text) {
  std::int64_t whole = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, whole);
  if (fault != std::errc() || stop == text.data()) return std::nullopt;
  if (stop == end) return timestamp_from_epoch(whole);
  if (*stop != '.') return std::nullopt;
  std::string_view rest(stop + 1, static_cast<std::size_t>(end - stop - 1));
  std::int64_t nanos = 0;
  if (!take_fraction(rest, nanos) || !rest.empty()) return std::nullopt;
  return from_seconds(whole, text[0] == '-' ? -nanos : nanos);
}

}  // namespace dendro
