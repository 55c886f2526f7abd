#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/byte_source.h"
#include "parse/analyze/line_tally.h"
#include "parse/analyze/object_reader.h"

namespace dendro {

/// Reads an input that is one array of objects, on one line or on many, element by element, so that its size has no
/// limit.
///
/// Rules:
/// 1. It is such an array if its first bytes are `[` and `{`, and its first line is an array or the beginning of one.
/// 2. An array on one line with anything but blanks behind it is a line like others: not an object.
/// 3. An element that is no object or damaged costs one skipped line for each line it stands on; reading goes on at the
/// next
///    line that can begin an element. A missing `]` costs the line of the `[`.
/// 4. Where something else than `,` or `]` follows an element, the array is over and the rest is read as lines.
/// Not thread-safe.
class ArrayReader {
 public:
  /// Both outlive the reader.
  ArrayReader(const RecordRule& rule, LineTally& tally) : element_reader_(rule), tally_(tally) {}

  /// Reads `source` as far as the array goes. Returns what was read but belongs to lines; the rest of `source` follows
  /// it. Errors: those of the source.
  Result<std::string> read(ByteSource& source);
  /// Of the array itself.
  std::uint64_t bytes() const { return offset_; }

 private:
  /// Between elements: first (behind `[`), behind (wants `,` or `]`), next (behind `,`). Inside one: element. After a
  /// fault: resync, until a line begins with `{` or `]`, or with a comma and then one of them. Then closed.
  enum class Step : std::uint8_t { first, element, behind, next, resync, closed };

  Result<bool> hold_first_line(ByteSource& source);
  Result<bool> rest_is_blank(ByteSource& source);
  Result<bool> read_more(ByteSource& source);
  std::size_t take(std::string_view text);
  bool take_between(char c);
  void take_resync(char c);
  std::size_t take_element(std::string_view text);
  void begin_element(char c);
  void end_element();
  void break_element();
  void count_line_feed();

  ObjectReader element_reader_;
  LineTally& tally_;
  std::string held_;  // read and not yet taken
  Step step_ = Step::first;
  std::string element_;
  std::uint64_t element_offset_ = 0;
  std::uint64_t element_lines_ = 0;
  bool element_too_long_ = false;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool line_is_blank_ = true;
  bool line_skipped_ = false;  // resync: this line is counted as skipped already
  std::uint64_t offset_ = 0;   // bytes taken
};

}  // namespace dendro
