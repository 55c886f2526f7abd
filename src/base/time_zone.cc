#include "base/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>

namespace dendro {
namespace {

std::int64_t clamped_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? kTimestampMax.number() : kTimestampMin.number();
}

class FixedZone final : public TimeZone {
 public:
  FixedZone(std::string name, std::int32_t offset_s) : name_(std::move(name)), offset_s_(offset_s) {}
  const std::string& name() const override { return name_; }
  bool is_fixed() const override { return true; }
  std::int32_t offset_at(Timestamp) const override { return offset_s_; }
  Timestamp instant_of(std::int64_t local_ns) const override {
    return Timestamp(clamped_sum(local_ns, -std::int64_t{offset_s_} * kNanosPerSecond));
  }

 private:
  const std::string name_;
  const std::int32_t offset_s_;
};

std::int64_t floor_seconds(std::int64_t nanoseconds) {
  const std::int64_t rest = nanoseconds % kNanosPerSecond;
  return nanoseconds / kNanosPerSecond - (rest < 0 ? 1 : 0);
}

/// The library's own instants are whole seconds, which changes of zones are too.
class NamedZone final : public TimeZone {
 public:
  NamedZone(std::string name, const date::time_zone& zone) : name_(std::move(name)), zone_(zone) {}
  const std::string& name() const override { return name_; }
  bool is_fixed() const override { return false; }
  std::int32_t offset_at(Timestamp instant) const override {
    const date::sys_seconds second{std::chrono::seconds(floor_seconds(instant.number()))};
    return static_cast<std::int32_t>(zone_.get_info(second).offset.count());
  }
  Timestamp instant_of(std::int64_t local_ns) const override {
    const date::local_seconds second{std::chrono::seconds(floor_seconds(local_ns))};
    const date::local_info info = zone_.get_info(second);
    if (info.result == date::local_info::nonexistent) {
      const std::int64_t change_s = info.first.end.time_since_epoch().count();
      return Timestamp(change_s * kNanosPerSecond);
    }
    return Timestamp(clamped_sum(local_ns, -info.first.offset.count() * kNanosPerSecond));
  }

 private:
  const std::string name_;
  const date::time_zone& zone_;  // of the library's table, which lives as long as the process
};

bool is_digit_at(std::string_view text, std::size_t index) {
  return index < text.size() && text[index] >= '0' && text[index] <= '9';
}

std::optional<std::int32_t> two_digits(std::string_view text) {
  if (text.size() < 2 || !is_digit_at(text, 0) || !is_digit_at(text, 1)) return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

}  // namespace

std::shared_ptr<const TimeZone> TimeZone::utc() {
  static const std::shared_ptr<const TimeZone> zone = std::make_shared<FixedZone>("UTC", 0);
  return zone;
}

std::shared_ptr<const TimeZone> TimeZone::fixed(std::int32_t offset_s) {
  return offset_s == 0 ? utc() : std::make_shared<FixedZone>(utc_offset_text(offset_s), offset_s);
}

Result<std::shared_ptr<const TimeZone>> TimeZone::find(std::string_view name) {
  if (const auto offset = parse_utc_offset(name)) return fixed(*offset);
  try {
    const date::time_zone* zone = date::locate_zone(std::string(name));
    return std::shared_ptr<const TimeZone>(std::make_shared<NamedZone>(std::string(name), *zone));
  } catch (const std::exception&) {
    // The library says the same of a name it lacks and of a database it lacks.
  }
  try {
    date::locate_zone("Europe/London");
  } catch (const std::exception&) {
    return Error(ErrorCode::unavailable, "the system has no time zones; install the package tzdata");
  }
  return Error(ErrorCode::invalid_argument, "no time zone \"" + std::string(name) + "\"");
}

std::int64_t TimeZone::local_ns(Timestamp instant) const {
  return clamped_sum(instant.number(), std::int64_t{offset_at(instant)} * kNanosPerSecond);
}

std::optional<std::int32_t> parse_utc_offset(std::string_view text) {
  if (text.empty() || text == "UTC" || text == "utc" || text == "Z" || text == "z") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const auto hours = two_digits(text.substr(1));
  if (!hours || *hours > 23) return std::nullopt;
  std::string_view rest = text.substr(3);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  const auto minutes = rest.empty() ? std::optional<std::int32_t>(0) : two_digits(rest);
  if (!minutes || *minutes > 59 || rest.size() > 2) return std::nullopt;
  const std::int32_t offset = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -offset : offset;
}

std::string utc_offset_text(std::int32_t offset_s) {
  const std::int32_t minutes = std::abs(offset_s) / 60;
  std::string text(offset_s < 0 ? "-" : "+");
  for (const std::int32_t number : {minutes / 60, minutes % 60}) {
    if (text.size() > 1) text.push_back(':');
    text.push_back(static_cast<char>('0' + number / 10));
    text.push_back(static_cast<char>('0' + number % 10));
  }
  return text;
}

}  // namespace dendro
