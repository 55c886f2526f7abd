#include "parse/lines/line_time.h"

#include <algorithm>
#include <array>

namespace dendro {
namespace {

/// In the order they are tried; a text that fits two of them fits the first.
constexpr std::array<std::string_view, 16> kLineTimeLayouts = {
    "Y-m-dTH:M:Sfz",   // 2026-11-20T10:00:00.123Z, 2026-11-20 10:00:00,123 +0100
    "Y/m/d H:M:Sfz",   // nginx, Go
    "b e H:M:Sf",      // Nov 20 10:00:00: RFC 3164
    "y/m/d H:M:Sf",    // 17/06/09 20:10:40: Spark
    "ymd HMS",         // 081109 203615: HDFS
    "m-d H:M:Sf",      // 11-20 10:00:00.123: Android
    "a b e H:M:Sf Y",  // Fri Nov 20 10:00:00.123456 2026: Apache
    "b e Y H:M:Sf",    // Nov 20 2026 10:00:00
    "b e, Y I:M:S p",  // Nov 20, 2026 10:00:00 AM: java.util.logging
    "m/d/Y I:M:S p",   // 11/20/2026 10:00:00 PM
    "m/d/Y H:M:Sfz",   // 11/20/2026 10:00:00
    "d/m/Y H:M:Sfz",   // 20/11/2026 10:00:00
    "d.m.Y H:M:Sfz",   // 20.11.2026 10:00:00
    "d b Y H:M:Sfz",   // 20 Nov 2026 10:00:00.123: Redis
    "d/b/Y:H:M:S z",   // 20/Nov/2026:10:00:00 +0100: access logs
    "H:M:Sf",          // 10:00:00.123: logback
};

constexpr std::string_view kMonthNames = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view kWeekdayNames = "MonTueWedThuFriSatSun";

bool is_time_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_time_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Index of the three-letter name at the front of `text`.
std::optional<unsigned> find_name(std::string_view names, std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  for (std::size_t at = 0; at < names.size(); at += 3) {
    if (names.substr(at, 3) == text.substr(0, 3)) return static_cast<unsigned>(at / 3);
  }
  return std::nullopt;
}

/// The parts of a time, read one by one from the front of a text.
class TimeScan {
 public:
  TimeScan(std::string_view text, const LineTimeDefaults& defaults) : text_(text), defaults_(defaults) {}

  bool take(char field) {
    switch (field) {
      case 'Y':
        has_year_ = true;
        return digits(4, year_);
      case 'y':
        has_year_ = digits(2, year_);
        year_ += year_ < 70 ? 2000 : 1900;
        return has_year_;
      case 'm':
        has_date_ = true;
        return digits(2, month_);
      case 'b':
        has_date_ = true;
        return name(kMonthNames, month_);
      case 'a':
        return name(kWeekdayNames, weekday_);
      case 'd':
        return digits(2, day_);
      case 'e':
        if (at_ < text_.size() && text_[at_] == ' ') ++at_;
        return one_or_two_digits(day_);
      case 'H':
        return digits(2, hour_);
      case 'I':
        return one_or_two_digits(hour_);
      case 'M':
        return digits(2, minute_);
      case 'S':
        return digits(2, second_);
      case 'p':
        return half_of_day();
      case 'f':
        fraction();
        return true;
      case 'z':
        return zone();
      case 'T':
        return at_ < text_.size() && (text_[at_] == 'T' || text_[at_] == 't' || text_[at_] == ' ') && ++at_ > 0;
      default:
        return at_ < text_.size() && text_[at_] == field && ++at_ > 0;
    }
  }

  std::optional<LineTime> finish() {
    if (at_ < text_.size() && (is_time_digit(text_[at_]) || is_time_letter(text_[at_]))) return std::nullopt;
    if (hour_ > 23 || minute_ > 59 || second_ > 60) return std::nullopt;
    std::optional<Timestamp> time;
    if (has_year_) {
      time = time_in(year_);
    } else if (has_date_) {
      time = last_before(kNanosPerDay);
    } else {
      time = last_time_of_day();
    }
    if (!time) return std::nullopt;
    return LineTime{*time, fraction_digits_, at_};
  }

 private:
  bool digits(std::size_t count, unsigned& out) {
    if (text_.size() - at_ < count) return false;
    out = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = text_[at_ + i];
      if (!is_time_digit(c)) return false;
      out = out * 10 + static_cast<unsigned>(c - '0');
    }
    at_ += count;
    return true;
  }
  bool one_or_two_digits(unsigned& out) { return digits(2, out) || digits(1, out); }

  bool name(std::string_view names, unsigned& number) {
    const std::optional<unsigned> found = find_name(names, text_.substr(at_));
    if (!found) return false;
    number = *found + 1;
    at_ += 3;
    return true;
  }

  bool half_of_day() {
    const std::string_view half = text_.substr(at_, 2);
    const bool is_afternoon = half == "PM" || half == "pm";
    if (!is_afternoon && half != "AM" && half != "am") return false;
    if (hour_ < 1 || hour_ > 12) return false;
    hour_ = hour_ % 12 + (is_afternoon ? 12 : 0);
    at_ += 2;
    return true;
  }

  /// Behind `.` or `,`; behind `:` only three digits.
  void fraction() {
    if (text_.size() - at_ < 2) return;
    const char mark = text_[at_];
    if ((mark != '.' && mark != ',' && mark != ':') || !is_time_digit(text_[at_ + 1])) return;
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_time_digit(text_[end])) ++end;
    if (mark == ':' && end - at_ != 4) return;
    std::int64_t unit = kNanosPerSecond;
    for (std::size_t i = at_ + 1; i < end && unit > 1; ++i) {
      unit /= 10;
      nanos_ += (text_[i] - '0') * unit;
    }
    fraction_digits_ = static_cast<int>(std::min<std::size_t>(end - at_ - 1, 9));
    at_ = end;
  }

  /// `Z`, `UTC`, `GMT`, `+01:00`, `+0100`, each perhaps behind a blank.
  bool zone() {
    const std::size_t before = at_;
    if (at_ < text_.size() && text_[at_] == ' ') ++at_;
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view utc : {"Z", "UTC", "GMT"}) {
      if (!rest.starts_with(utc)) continue;
      if (rest.size() > utc.size() && (is_time_letter(rest[utc.size()]) || is_time_digit(rest[utc.size()]))) continue;
      at_ += utc.size();
      offset_s_ = 0;
      return true;
    }
    if (!rest.empty() && (rest[0] == '+' || rest[0] == '-') && offset(rest[0] == '-' ? -1 : 1)) return true;
    at_ = before;
    return true;
  }
  bool offset(std::int64_t sign) {
    ++at_;
    unsigned hours = 0;
    unsigned minutes = 0;
    if (!digits(2, hours)) return false;
    if (at_ < text_.size() && text_[at_] == ':') ++at_;
    if (!digits(2, minutes) || hours > 23 || minutes > 59) return false;
    offset_s_ = sign * (std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60);
    return true;
  }

  std::int64_t offset_s() const { return offset_s_.value_or(defaults_.offset_s); }

  /// Nothing if the month has no such day, or a Timestamp does not hold the time.
  std::optional<Timestamp> time_in(std::int64_t year) const {
    if (month_ < 1 || month_ > 12 || day_ < 1) return std::nullopt;
    const std::int64_t first = days_from_civil(year, month_, 1);
    const std::int64_t next = month_ == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month_ + 1, 1);
    if (day_ > next - first) return std::nullopt;
    return time_on(first + day_ - 1);
  }
  std::optional<Timestamp> time_on(std::int64_t day) const {
    const std::int64_t seconds =
        day * 86'400 + std::int64_t{hour_} * 3600 + std::int64_t{minute_} * 60 + second_ - offset_s();
    std::int64_t nanos = 0;
    if (__builtin_mul_overflow(seconds, kNanosPerSecond, &nanos) || __builtin_add_overflow(nanos, nanos_, &nanos))
      return std::nullopt;
    return Timestamp(nanos);
  }

  /// The last such time that is at most `slack_ns` behind the reference; the 29th of February may be eight years ago.
  std::optional<Timestamp> last_before(std::int64_t slack_ns) const {
    const std::int64_t year = to_civil(defaults_.reference).year + 1;
    for (std::int64_t back = 0; back < 10; ++back) {
      const std::optional<Timestamp> time = time_in(year - back);
      if (time && is_before(*time, slack_ns)) return time;
    }
    return std::nullopt;
  }
  std::optional<Timestamp> last_time_of_day() const {
    constexpr std::int64_t kSlackNs = 3'600 * kNanosPerSecond;
    const std::int64_t day = day_start(defaults_.reference).number() / kNanosPerDay + 1;
    for (std::int64_t back = 0; back < 3; ++back) {
      const std::optional<Timestamp> time = time_on(day - back);
      if (time && is_before(*time, kSlackNs)) return time;
    }
    return std::nullopt;
  }
  bool is_before(Timestamp time, std::int64_t slack_ns) const {
    std::int64_t lead = 0;
    return __builtin_sub_overflow(time.number(), defaults_.reference.number(), &lead) ? time < defaults_.reference
                                                                                      : lead <= slack_ns;
  }

  const std::string_view text_;
  const LineTimeDefaults& defaults_;
  std::size_t at_ = 0;
  bool has_year_ = false;
  bool has_date_ = false;
  unsigned year_ = 0, month_ = 0, day_ = 0, hour_ = 0, minute_ = 0, second_ = 0, weekday_ = 0;
  std::int64_t nanos_ = 0;
  int fraction_digits_ = 0;
  std::optional<std::int64_t> offset_s_;
};

}  // namespace

std::optional<LineTime> read_time_as(std::string_view layout, std::string_view text, const LineTimeDefaults& defaults) {
  TimeScan scan(text, defaults);
  for (const char field : layout) {
    if (!scan.take(field)) return std::nullopt;
  }
  return scan.finish();
}

std::optional<LineTime> LineTimeReader::read(std::string_view text) {
  // A time begins with a digit or a name; most lines without one are told here.
  if (text.empty() || (!is_time_digit(text[0]) && !(text[0] >= 'A' && text[0] <= 'W'))) return std::nullopt;
  if (const auto time = read_time_as(kLineTimeLayouts[last_layout_], text, defaults_)) return time;
  for (std::size_t i = 0; i < kLineTimeLayouts.size(); ++i) {
    if (const auto time = read_time_as(kLineTimeLayouts[i], text, defaults_)) {
      last_layout_ = i;
      return time;
    }
  }
  return std::nullopt;
}

}  // namespace dendro
