#pragma once

#include <string_view>
#include <vector>

#include "parse/lines/line_time.h"
#include "parse/parse_format.h"

namespace dendro {

/// What a detector looks at, at most (diagnosis.md 2.2).
inline constexpr std::size_t kDetectionBytes = std::size_t{64} << 10;
inline constexpr std::size_t kDetectionLines = 500;

/// What the front of a log is taken for.
struct DetectedFormat {
  ParseFormat format = ParseFormat::text;
  /// Formats that each line is tried as if it is not `format`: the log is mixed, or too little of it is known yet.
  std::vector<ParseFormat> others;
  double confidence = 0;  ///< of `format`, 0 to 1; 0: nothing spoke for any format
  ParseFormat runner_up = ParseFormat::text;
};

enum class SampleEnd : std::uint8_t {
  whole,       ///< it is all there is
  cut,         ///< more follows, which need not be waited for
  still_open,  ///< more may follow whenever its writer likes: a pipe
};

/// Takes the first lines of a log for what most of them are. A format's score is the share of the lines that begin a
/// record and are of it, times how sure one of them makes. From kAcceptedScore on, and kScoreLead before all others, it
/// is the format of the whole; else lines are tried one by one as the formats that were seen. Prose, source code,
/// tables of numbers and single lines of no special form are text.
///
/// The detector of more formats, of envelopes and of records of several lines (diagnosis.md 2.3 to 2.5) goes in here:
/// it needs LineFormats that are not one file of make_line_formats() more than these, and samples from within a file.
/// @param times  what recognising a time needs.
DetectedFormat detect_log_format(std::string_view front, SampleEnd end, const LineTimeDefaults& times);

inline constexpr double kAcceptedScore = 0.6;
inline constexpr double kScoreLead = 0.1;

}  // namespace dendro
