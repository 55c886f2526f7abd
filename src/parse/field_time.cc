#include "parse/field_time.h"

#include <charconv>
#include <cmath>

namespace dendro {
namespace {

/// Below it a double's seconds fit Timestamp.
constexpr double kMaxSeconds = 9.2e9;

std::optional<Timestamp> time_of_seconds(double seconds) {
  if (!(std::fabs(seconds) < kMaxSeconds)) return std::nullopt;
  const double whole = std::floor(seconds);
  const auto nanos = static_cast<std::int64_t>((seconds - whole) * 1e9 + 0.5);
  return Timestamp(static_cast<std::int64_t>(whole) * kNanosPerSecond + nanos);
}

/// Decimals digit by digit where the text is decimal, so that ninths of a second survive; exponents by way of double.
std::optional<Timestamp> time_of_decimal(std::string_view numeral) {
  if (const auto time = parse_epoch(numeral)) return time;
  double seconds = 0;
  const char* end = numeral.data() + numeral.size();
  const auto result = std::from_chars(numeral.data(), end, seconds);
  if (result.ec != std::errc() || result.ptr != end || numeral.find_first_of("eE") == std::string_view::npos)
    return std::nullopt;
  return time_of_seconds(seconds);
}

}  // namespace

std::optional<Timestamp> time_of_value(const Value& value, std::int32_t default_offset_s) {
  switch (value.type) {
    case ValueType::text: {
      if (const auto time = parse_rfc3339(value.text, default_offset_s)) return time;
      return parse_epoch(value.text);
    }
    case ValueType::int64:
      return timestamp_from_epoch(value.integer);
    case ValueType::float64: {
      // The shortest text is the text that was sent, see value_of_numeral.
      char text[32];
      const auto printed = std::to_chars(text, text + sizeof text, value.real);
      return time_of_decimal({text, static_cast<std::size_t>(printed.ptr - text)});
    }
    case ValueType::number_text:
      return time_of_decimal(value.text);
    case ValueType::time:
      return Timestamp(value.integer);
    default:
      return std::nullopt;
  }
}

Value as_time_value(const Value& value, Timestamp instant) {
  if (value.type != ValueType::text) return value;
  // 2026-11-20T10:00:00.123456789Z. What parse_rfc3339 took and looks like this prints back the same, but for a leap
  // second.
  const std::string_view text = value.text;
  if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z' || text.substr(17, 2) == "60") return value;
  if (text.size() == 20) return Value::of_time(instant, 0);
  const std::size_t digits = text.size() - 21;
  if (text[19] != '.' || digits < 1 || digits > 9) return value;
  return Value::of_time(instant, static_cast<int>(digits));
}

}  // namespace dendro
