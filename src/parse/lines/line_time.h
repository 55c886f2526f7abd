#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/timestamp.h"

namespace dendro {

/// What a time in a line leaves out.
struct LineTimeDefaults {
  /// When the line was read, or its file was last written: a time without a year is the last one that is not more than
  /// a day later, a time without a date not more than an hour later.
  Timestamp reference;
  std::int32_t offset_s = 0;  ///< of times without a zone, east of UTC
};

struct LineTime {
  Timestamp time;
  int fraction_digits = 0;  ///< as written, at most 9
  std::size_t size = 0;     ///< bytes of the text
};

/// Reads a time at the front of `text` by a layout: Y y year of four or two digits, m b month of two digits or by its
/// name, d e day of two digits or with a blank or nothing for the first, H M S, I an hour of one or two digits, p AM or
/// PM behind it, a weekday by its name, f a fraction if there is one, z a zone if there is one, `T` one of `T`, `t`,
/// blank; anything else stands for itself. No letter or digit may follow. Nothing if the text is not of that layout or
/// there is no such time.
std::optional<LineTime> read_time_as(std::string_view layout, std::string_view text, const LineTimeDefaults& defaults);

/// Reads times in any of the layouts that logs begin with. Tries the last successful one first. Not thread-safe.
class LineTimeReader {
 public:
  explicit LineTimeReader(const LineTimeDefaults& defaults) : defaults_(defaults) {}
  std::optional<LineTime> read(std::string_view text);
  const LineTimeDefaults& defaults() const { return defaults_; }

 private:
  const LineTimeDefaults defaults_;
  std::size_t last_layout_ = 0;
};

}  // namespace dendro
