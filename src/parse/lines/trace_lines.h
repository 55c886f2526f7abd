#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dendro {

/// What a line is to those behind it.
enum class LineRole : std::uint8_t {
  text,    ///< of no format: only what surely goes on with it does
  opens,   ///< begins a record of a format whose text may go on over further lines
  closed,  ///< a record of a format that never has more than one line
};

/// False: the line, not blank, goes on with no record, whatever came before, but for frames of Go and what stands
/// unindented inside a trace that is open (TraceLines::joins). Indented lines, and the lines that stack traces of Java,
/// Python, Go, Node and .NET begin or go on with.
bool may_go_on(std::string_view line);

/// Which lines belong to the record before them: stack traces, and behind a record of a format whatever is indented
/// (diagnosis.md 2.5). Lines that are recognised as records of their own are not asked. Borrows the record's first
/// line. Not thread-safe.
///
/// Behind `opens` every indented line and every beginning of a trace goes on with the record. Behind `text` only
/// frames of a trace do, what stands inside one, and its beginning where the line before names an error.
class TraceLines {
 public:
  /// The first line of a record.
  void begin(std::string_view first, LineRole role);
  /// Whether the next line that is not blank goes on with the record.
  bool joins(std::string_view line);

 private:
  enum class Trace : std::uint8_t {
    none,
    frames,  ///< `at x` behind each other: Java, Node, .NET
    python,
    python_open,  ///< the line that names the exception is still to come
    go,
  };
  static Trace trace_begun_by(std::string_view line);
  bool joins_indented(std::string_view line);
  bool joins_head(std::string_view line, bool may_be_another);

  std::string_view first_;
  LineRole role_ = LineRole::text;
  Trace trace_ = Trace::none;
  bool expects_another_ = false;  ///< the line before said that another trace follows
};

}  // namespace dendro
