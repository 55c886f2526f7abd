#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "record/value.h"

namespace dendro {

/// OpenTelemetry's severity number: 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal; 0 = unset.
using SeverityNumber = std::uint8_t;
inline constexpr SeverityNumber kSeverityUnset = 0;
inline constexpr SeverityNumber kSeverityTrace = 1;
inline constexpr SeverityNumber kSeverityDebug = 5;
inline constexpr SeverityNumber kSeverityInfo = 9;
inline constexpr SeverityNumber kSeverityWarn = 13;
inline constexpr SeverityNumber kSeverityError = 17;
inline constexpr SeverityNumber kSeverityFatal = 21;
inline constexpr SeverityNumber kSeverityMax = 24;

/// Name of the group a number is in: "trace" "debug" "info" "warn" "error" "fatal"; "" for 0.
std::string_view severity_name(SeverityNumber number);
/// Number of a word in any ASCII case (clients.md 2.6): trace 1, debug 5, info/information 9, notice 10, warn/warning
/// 13, err/error 17, critical/crit/fatal 21, alert 22, emerg/emergency/panic 23.
std::optional<SeverityNumber> severity_of_word(std::string_view word);
/// The same of a leaf's value: a word; digits as text or number 1-24; pino's and bunyan's 10, 20, .. 60 (above 24) as
/// trace .. fatal.
std::optional<SeverityNumber> severity_of_value(const Value& value);

}  // namespace dendro
