#include "parse/lines/trace_lines.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "parse/body_severity.h"

namespace dendro {
namespace {

bool is_indent(char c) {
  return c == ' ' || c == '\t';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
std::string_view without_indent(std::string_view line) {
  while (!line.empty() && is_indent(line.front())) line.remove_prefix(1);
  return line;
}

bool starts_with_any(std::string_view line, std::span<const std::string_view> heads) {
  return std::any_of(heads.begin(), heads.end(), [line](std::string_view head) { return line.starts_with(head); });
}

/// `java.lang.IllegalStateException: x`, `ValueError`, `Error [ERR_X]: y`: the size of a name that is an exception's.
std::size_t exception_name_size(std::string_view line) {
  const auto end = std::find_if(line.begin(), line.end(), [](char c) {
    return !is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '$';
  });
  const auto size = static_cast<std::size_t>(end - line.begin());
  const std::string_view name = line.substr(0, size);
  const std::string_view behind = line.substr(size);
  const bool is_named = name.ends_with("Exception") || name.ends_with("Error") || name.ends_with("Throwable");
  return is_named && (behind.empty() || behind.starts_with(':') || behind.starts_with(" [")) ? size : 0;
}

/// `KeyboardInterrupt`, `app.errors.Refused: no`: how a traceback of Python ends.
bool is_python_exception(std::string_view line) {
  const std::size_t size = line.find(':');
  const std::string_view name = line.substr(0, size);
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_';
  });
}

constexpr std::array<std::string_view, 3> kFrameHeads = {"Exception in thread \"", "Unhandled exception", "Uncaught "};
constexpr std::array<std::string_view, 2> kPythonHeads = {"Traceback (most recent call last)",
                                                          "Exception Group Traceback (most recent call last)"};
constexpr std::array<std::string_view, 5> kGoHeads = {"panic: ", "fatal error: ", "goroutine ", "[signal SIG",
                                                      "runtime: "};
/// Python: the next line that is not blank begins another trace of the same record.
constexpr std::array<std::string_view, 2> kBetweenTraces = {"During handling of the above exception",
                                                            "The above exception was"};
/// Inside a trace, whatever its language.
constexpr std::array<std::string_view, 4> kInnerHeads = {"Caused by: ", "Suppressed: ", "... ", "--- End of "};

/// `main.run(0x1)`, `created by main.main`, `exit status 2`.
bool is_go_line(std::string_view line) {
  constexpr std::array<std::string_view, 2> kHeads = {"created by ", "exit status "};
  const bool is_frame = line.ends_with(')') && line.find('(') != std::string_view::npos && is_letter(line.front()) &&
                        line.substr(0, line.find('(')).find(' ') == std::string_view::npos;
  return is_frame || starts_with_any(line, kHeads) || starts_with_any(line, kGoHeads);
}

}  // namespace

bool may_go_on(std::string_view line) {
  return is_indent(line.front()) || exception_name_size(line) > 0 || starts_with_any(line, kFrameHeads) ||
         starts_with_any(line, kPythonHeads) || starts_with_any(line, kGoHeads) || starts_with_any(line, kInnerHeads) ||
         starts_with_any(line, kBetweenTraces);
}

TraceLines::Trace TraceLines::trace_begun_by(std::string_view line) {
  if (starts_with_any(line, kPythonHeads)) return Trace::python_open;
  if (starts_with_any(line, kGoHeads)) return Trace::go;
  if (exception_name_size(line) > 0 || starts_with_any(line, kFrameHeads)) return Trace::frames;
  return Trace::none;
}

void TraceLines::begin(std::string_view first, LineRole role) {
  first_ = first;
  role_ = role;
  trace_ = role == LineRole::text ? trace_begun_by(first) : Trace::none;
  expects_another_ = false;
}

bool TraceLines::joins(std::string_view line) {
  if (role_ == LineRole::closed) return false;
  const bool may_be_another = std::exchange(expects_another_, false);
  if (is_indent(line.front())) return joins_indented(line);
  if (trace_ == Trace::python_open) {
    trace_ = Trace::python;
    if (is_python_exception(line)) return true;
  }
  if (trace_ == Trace::go && is_go_line(line)) return true;
  if (trace_ == Trace::frames && (line == "}" || line.starts_with("Node.js v"))) return true;
  return joins_head(line, may_be_another);
}

bool TraceLines::joins_indented(std::string_view line) {
  const std::string_view text = without_indent(line);
  if (trace_ == Trace::none) {
    if (text.starts_with("File \"")) {
      trace_ = Trace::python_open;
    } else if (text.starts_with("at ") || text.starts_with("---> ") || starts_with_any(text, kInnerHeads)) {
      trace_ = Trace::frames;
    } else if (starts_with_any(text, kPythonHeads)) {
      trace_ = Trace::python;  // of a group: all of it is indented
    }
  }
  return role_ == LineRole::opens || trace_ != Trace::none;
}

bool TraceLines::joins_head(std::string_view line, bool may_be_another) {
  const bool is_between = starts_with_any(line, kBetweenTraces);
  if (is_between || starts_with_any(line, kInnerHeads)) {
    if (role_ == LineRole::text && trace_ == Trace::none) return false;
    if (trace_ == Trace::none) trace_ = Trace::frames;
    expects_another_ = is_between;
    return true;
  }
  const Trace begun = trace_begun_by(line);
  if (begun == Trace::none) return false;
  const bool is_of_record = role_ == LineRole::opens || may_be_another ||
                            (trace_ == Trace::none && severity_in_body(first_) >= kSeverityError);
  if (is_of_record) trace_ = begun;
  return is_of_record;
}

}  // namespace dendro
