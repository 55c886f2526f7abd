#pragma once

#include <cstdint>
#include <string>

#include "services/analyze/analyze_types.h"

namespace dendro {

enum class AnalyzeFormat : std::uint8_t {
  json,          ///< two blanks a level, final line feed
  json_compact,  ///< one line, no line feed
  table,         ///< for people
  csv,           ///< RFC 4180 with line feeds: service,count
};
enum class AnalyzeDetails : std::uint8_t { none, shown };
enum class AnalyzeColours : std::uint8_t { none, ansi };

/// The result of five-systems.md 2.3, with `details` as a fourth member on request (JSON forms only).
std::string render_report(const AnalyzeReport& report, AnalyzeFormat format,
                          AnalyzeDetails details = AnalyzeDetails::none, AnalyzeColours colours = AnalyzeColours::none);

/// "3 lines skipped: 2 not JSON, 1 not UTF-8"; empty if none was.
std::string skipped_text(const CountResult& counted);

}  // namespace dendro
