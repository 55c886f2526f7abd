#include "parse/parse_format.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace dendro {
namespace {

struct FormatRow {
  std::string_view name;
  ParseFormat format;
  bool is_built;
};
constexpr std::array<FormatRow, 11> kFormats = {{
    {"auto", ParseFormat::auto_detect, true},
    {"json", ParseFormat::json, true},
    {"text", ParseFormat::text, true},
    {"logfmt", ParseFormat::logfmt, true},
    {"syslog", ParseFormat::syslog, true},
    {"access", ParseFormat::access, true},
    {"nginx_error", ParseFormat::nginx_error, true},
    {"apache_error", ParseFormat::apache_error, true},
    {"klog", ParseFormat::klog, true},
    {"log4j", ParseFormat::log4j, true},
    {"csv", ParseFormat::csv, false},
}};

}  // namespace

std::string_view parse_format_name(ParseFormat format) {
  return kFormats[static_cast<std::size_t>(format)].name;
}

std::optional<ParseFormat> parse_format_of_name(std::string_view name) {
  if (name == "ndjson") return ParseFormat::json;
  if (name == "glog") return ParseFormat::klog;
  for (const FormatRow& row : kFormats) {
    if (row.name == name) return row.format;
  }
  return std::nullopt;
}

bool parse_format_is_built(ParseFormat format) {
  return kFormats[static_cast<std::size_t>(format)].is_built;
}

std::string_view parse_format_names_text() {
  return "auto, json, text, logfmt, syslog, access, nginx_error, apache_error, klog, log4j, csv";
}

namespace {

constexpr std::string_view kBlanksAndNul(" \t\r\n\0", 5);

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanksAndNul);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

/// Behind the `]` of something in brackets that may be JSON: nothing but its line's end, or more of what is around it.
bool ends_as_json(std::string_view behind) {
  const std::size_t first = behind.find_first_not_of(" \t\r");
  return first == std::string_view::npos || behind[first] == '\n' || behind[first] == '\0' || behind[first] == ',' ||
         behind[first] == ']';
}

/// Behind a number or a word within brackets.
bool goes_on_as_json(std::string_view behind) {
  behind = without_blanks(behind);
  return behind.empty() || behind.front() == ',' || (behind.front() == ']' && ends_as_json(behind.substr(1)));
}

}  // namespace

bool begins_json_array(std::string_view text) {
  while (text.starts_with('[')) text = without_blanks(text.substr(1));
  if (text.empty() || text.front() == '{' || text.front() == '"') return true;
  if (text.front() == ']') return ends_as_json(text.substr(1));
  for (const std::string_view word : {"true", "false", "null"}) {
    if (text.starts_with(word)) return goes_on_as_json(text.substr(word.size()));
  }
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number =
      (text.front() == '-' || (text.front() >= '0' && text.front() <= '9')) && read.ptr != text.data();
  return is_number && goes_on_as_json(text.substr(static_cast<std::size_t>(read.ptr - text.data())));
}

std::optional<ParseFormat> detect_format(std::string_view front) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (front.starts_with(kByteOrderMark)) front.remove_prefix(kByteOrderMark.size());
  front = without_blanks(front);
  if (front.empty()) return std::nullopt;
  return front.front() == '{' || (front.front() == '[' && begins_json_array(front)) ? ParseFormat::json
                                                                                    : ParseFormat::text;
}

}  // namespace dendro
