#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dendro {

/// How the bytes of a log are laid out: the values of `?format=` (clients.md 3.2) and of `--format`. `json`: objects
/// one a line, concatenated, pretty-printed, or in an array. `text`: a record a line. The others are a record a line
/// with fields in it (parse/lines); `csv` is known by name and not built yet.
enum class ParseFormat : std::uint8_t {
  auto_detect,
  json,
  text,
  logfmt,
  syslog,
  access,
  nginx_error,
  apache_error,
  klog,
  log4j,
  csv,
};

/// "auto", "json", "text", ...
std::string_view parse_format_name(ParseFormat format);
/// Also "ndjson" and "glog", which are json and klog.
std::optional<ParseFormat> parse_format_of_name(std::string_view name);
/// False: make_record_decoder answers unimplemented.
bool parse_format_is_built(ParseFormat format);
/// "auto, json, text, ...": for messages.
std::string_view parse_format_names_text();

/// True if `text`, which begins with `[`, may be a JSON array: `[2026-11-20 10:00:00] x`, `[error] x` and `[12.5] x`
/// cannot.
bool begins_json_array(std::string_view text);
/// Tells json from text by what is no white space, NUL or byte order mark: `{` and arrays are json, else text. Nothing
/// if `front` has no such byte. What a request without `?format=` is taken for (clients.md 3.1); files are looked at
/// more closely (parse/lines/format_detector.h).
std::optional<ParseFormat> detect_format(std::string_view front);

}  // namespace dendro
