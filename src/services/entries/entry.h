#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/severity.h"

namespace dendro {

/// Severities of S1, in the order its texts name them (five-systems.md 3.1).
enum class EntrySeverity : std::uint8_t { info, warning, error };
/// "info", "warning", "error".
std::string_view entry_severity_name(EntrySeverity severity);
/// 9, 13, 17.
SeverityNumber entry_severity_number(EntrySeverity severity);
/// Any ASCII case; not trimmed.
std::optional<EntrySeverity> parse_entry_severity(std::string_view word);

/// One log entry of S1 as it is answered.
struct Entry {
  std::string log_id;             ///< UUID v4
  std::int64_t timestamp_ms = 0;  ///< UTC, since 1970
  EntrySeverity severity = EntrySeverity::info;
  std::string message;
};

inline constexpr std::size_t kMaxEntryMessageCharacters = 10'000;  ///< code points, before trimming
inline constexpr std::size_t kMaxEntryBodyBytes = std::size_t{1} << 20;
inline constexpr std::size_t kDefaultRecentEntries = 100;
inline constexpr std::size_t kMaxRecentEntries = 1'000;

}  // namespace dendro
