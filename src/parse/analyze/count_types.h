#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timestamp.h"

namespace dendro {

/// A longer line (or pretty-printed object) is skipped, so that one damaged file cannot take the memory.
inline constexpr std::size_t kCountLineBytesMax = std::size_t{16} << 20;
/// A line nested deeper is skipped; `{}` is one level.
inline constexpr std::size_t kCountDepthMax = 1024;

/// What is counted and under which name (five-systems.md 2.1, 2.3).
struct CountOptions {
  std::vector<std::string> levels = {"ERROR"};    ///< a record counts if its top-level `level` is one of these strings
  bool ignore_case = false;                       ///< compares levels without ASCII case
  std::string group_field = "service";            ///< top-level field whose value names the group
  std::optional<Timestamp> since = std::nullopt;  ///< inclusive, by `ts`, else `timestamp`, `@timestamp`, `time`
};

/// Why a line was skipped. In the order they are reported.
enum class SkipReason : std::uint8_t { not_utf8, not_json, not_object, too_deep, too_long };
inline constexpr std::size_t kSkipReasonCount = 5;
/// "not_json": member name in `details`.
std::string_view skip_reason_name(SkipReason reason);
/// "not JSON": for sentences.
std::string_view skip_reason_text(SkipReason reason);

struct CountResult {
  std::uint64_t total = 0;                                          ///< records that count
  std::vector<std::pair<std::string, std::uint64_t>> by_service;    ///< in order of first appearance
  std::uint64_t bytes = 0;                                          ///< of text, unpacked
  std::uint64_t lines = 0;                                          ///< that are not blank
  std::array<std::uint64_t, kSkipReasonCount> skipped_by_reason{};  ///< lines, by SkipReason
  std::uint64_t skipped() const;
  /// Adds another input's figures behind this one's.
  void append(const CountResult& later);
};

}  // namespace dendro
