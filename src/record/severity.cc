#include "record/severity.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <utility>

namespace dendro {
namespace {

constexpr std::array<std::string_view, 6> kSeverityNames = {"trace", "debug", "info", "warn", "error", "fatal"};

constexpr std::array<std::pair<std::string_view, SeverityNumber>, 19> kSeverityWords = {{
    {"trace", 1},   {"debug", 5},      {"info", 9},     {"information", 9}, {"informational", 9},
    {"notice", 10}, {"warn", 13},      {"warning", 13}, {"err", 17},        {"error", 17},
    {"severe", 17}, {"critical", 21},  {"crit", 21},    {"fatal", 21},      {"alert", 22},
    {"emerg", 23},  {"emergency", 23}, {"panic", 23},   {"dbg", 5},
}};

bool equals_folded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::optional<SeverityNumber> severity_of_integer(std::int64_t number) {
  if (number >= 1 && number <= kSeverityMax && number != 10 && number != 20) return static_cast<SeverityNumber>(number);
  if (number == 10)
    return kSeverityTrace;  // pino, bunyan: 10, 20, .. 60; OpenTelemetry's own 10 and 20 are rare as bare numbers
  if (number == 20) return kSeverityDebug;
  if (number == 30) return kSeverityInfo;
  if (number == 40) return kSeverityWarn;
  if (number == 50) return kSeverityError;
  if (number == 60) return kSeverityFatal;
  return std::nullopt;
}

}  // namespace

std::string_view severity_name(SeverityNumber number) {
  return number == kSeverityUnset || number > kSeverityMax ? std::string_view() : kSeverityNames[(number - 1u) / 4u];
}

std::optional<SeverityNumber> severity_of_word(std::string_view word) {
  for (const auto& [name, number] : kSeverityWords) {
    if (equals_folded(word, name)) return number;
  }
  return std::nullopt;
}

std::optional<SeverityNumber> severity_of_value(const Value& value) {
  if (value.type == ValueType::int64) return severity_of_integer(value.integer);
  if (value.type != ValueType::text) return std::nullopt;
  if (const auto number = severity_of_word(value.text)) return number;
  std::int64_t digits = 0;
  const char* end = value.text.data() + value.text.size();
  const auto result = std::from_chars(value.text.data(), end, digits);
  if (value.text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return severity_of_integer(digits);
}

}  // namespace dendro
