#include "parse/parse_format.h"

#include <array>
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

std::optional<ParseFormat> detect_format(std::string_view front) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (front.starts_with(kByteOrderMark)) front.remove_prefix(kByteOrderMark.size());
  constexpr std::string_view kBlank(" \t\r\n\0", 5);
  const std::size_t first = front.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return std::nullopt;
  return front[first] == '{' || front[first] == '[' ? ParseFormat::json : ParseFormat::text;
}

}  // namespace dendro
