#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parse/json_reader.h"
#include "parse/lines/line_time.h"
#include "parse/lines/trace_lines.h"
#include "parse/parse_format.h"
#include "parse/text_arena.h"

namespace dendro {

/// What a line holds, in the form that the mapper of names takes (parse/record_mapper.h). Texts are borrowed from the
/// line, from constants, or kept here until clear().
class LineFields {
 public:
  void clear();
  void add(std::string_view name, const Value& value);
  /// As text, or as bytes where it is no UTF-8.
  void add_text(std::string_view name, std::string_view text) { add(name, value_of_string(text)); }
  /// The same unless there is none; in logs "-" says so, too.
  void add_some_text(std::string_view name, std::string_view text);
  /// As a number if it is a plain one that int64 holds, else as text.
  void add_number(std::string_view name, std::string_view digits);
  void add_time(const LineTime& time) { add("_time", Value::of_time(time.time, time.fraction_digits)); }
  /// A copy that lives until clear().
  std::string_view keep(std::string_view text);
  /// The body, which was found in `first`, goes on to the end of `whole`, which begins with `first`.
  void extend_body(std::string_view first, std::string_view whole);
  /// Instead of all that was added: nodes that live elsewhere until the fields were used.
  void set(const std::vector<JsonNode>& nodes, std::size_t bytes);
  const std::vector<JsonNode>& nodes() const { return nodes_; }
  /// Bytes of all names and values.
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<JsonNode> nodes_;
  TextArena arena_;
  std::size_t bytes_ = 0;
};

/// One format of logs that have a record a line: recognised and taken apart. The names it gives follow OpenTelemetry
/// where there is one for it. Not thread-safe: it may remember what the last line looked like.
class LineFormat {
 public:
  virtual ~LineFormat() = default;
  virtual ParseFormat format() const = 0;
  /// How sure one line of this form makes that it is this format, 0 to 1.
  virtual double specificity() const = 0;
  /// Takes a line apart, without its line feed and not blank. False: it is not of this format; `fields` is then of no
  /// use.
  virtual bool decode(std::string_view line, LineFields& fields) = 0;
  /// What a line of it is to those behind it: opens or closed.
  virtual LineRole role() const { return LineRole::closed; }
  /// Whether the line speaks for this format, where that asks more than being readable as it.
  virtual bool recognises(std::string_view line, LineFields& scratch) { return decode(line, scratch); }
};

// One file each. `times` as in LineTimeReader.
std::unique_ptr<LineFormat> make_json_line_format();
std::unique_ptr<LineFormat> make_logfmt_format();
std::unique_ptr<LineFormat> make_syslog_format(const LineTimeDefaults& times);
std::unique_ptr<LineFormat> make_access_format(const LineTimeDefaults& times);
std::unique_ptr<LineFormat> make_nginx_error_format(const LineTimeDefaults& times);
std::unique_ptr<LineFormat> make_apache_error_format(const LineTimeDefaults& times);
std::unique_ptr<LineFormat> make_klog_format(const LineTimeDefaults& times);
std::unique_ptr<LineFormat> make_log4j_format(const LineTimeDefaults& times);

/// Null for `text`, `csv` and `auto`. `json` here is an object a line and nothing else.
std::unique_ptr<LineFormat> make_line_format(ParseFormat format, const LineTimeDefaults& times);
/// One of each, most specific first: where formats are looked for. A new format is one line there.
std::vector<std::unique_ptr<LineFormat>> make_line_formats(const LineTimeDefaults& times);

}  // namespace dendro
