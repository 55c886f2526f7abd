#include "parse/analyze/record_rule.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::string_view kUnknownGroup = "unknown";

char fold_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equal_folded(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return fold_ascii(a) == fold_ascii(b); });
}

/// Text of a raw value that is a string; nothing for other kinds.
std::optional<std::string> string_value(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return std::nullopt;
  return unescape_json_text(raw.substr(1, raw.size() - 2));
}

/// "0", "-0.00", "0e5": no digit but 0 before the exponent.
bool is_zero_number(std::string_view raw) {
  const std::string_view mantissa = raw.substr(0, raw.find_first_of("eE"));
  return mantissa.find_first_of("123456789") == std::string_view::npos;
}

/// Drops white space outside strings.
std::string compact_json(std::string_view raw) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
    out.push_back(c);
    if (in_string && c == '\\') {
      out.push_back(raw[++i]);  // valid JSON: there is one more
    } else if (c == '"') {
      in_string = !in_string;
    }
  }
  return out;
}

std::optional<Timestamp> time_value(std::string_view raw) {
  if (const std::optional<std::string> text = string_value(raw)) {
    const std::string_view trimmed = trim_unicode_space(*text);
    if (const auto time = parse_rfc3339(trimmed)) return time;
    return parse_epoch(trimmed);
  }
  return parse_epoch(raw);
}

std::uint32_t read_hex4(std::string_view digits) {
  std::uint32_t number = 0;
  std::from_chars(digits.data(), digits.data() + 4, number, 16);
  return number;
}

/// Appends what `\uXXXX` at the front of `rest` stands for, with the second half of a surrogate pair; returns bytes
/// taken.
std::size_t append_unicode_escape(std::string& out, std::string_view rest) {
  const std::uint32_t first = read_hex4(rest.substr(2));
  const bool high = first >= 0xD800 && first <= 0xDBFF;
  if (high && rest.size() >= 12 && rest.substr(6, 2) == "\\u") {
    const std::uint32_t second = read_hex4(rest.substr(8));
    if (second >= 0xDC00 && second <= 0xDFFF) {
      append_utf8(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
      return 12;
    }
  }
  const bool surrogate = first >= 0xD800 && first <= 0xDFFF;
  append_utf8(out, surrogate ? 0xFFFD : first);
  return 6;
}

char plain_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // " \ /
  }
}

}  // namespace

RecordRule::RecordRule(CountOptions options) : options_(std::move(options)) {
  level_field_ = add_field("level");
  group_field_ = add_field(options_.group_field);
  if (options_.since) {
    for (const char* name : {"ts", "timestamp", "@timestamp", "time"}) time_fields_.push_back(add_field(name));
  }
  if (options_.levels.size() == 1 && !options_.ignore_case) plain_level_ = options_.levels.front();
}

std::size_t RecordRule::add_field(const std::string& name) {
  const auto found = std::find(fields_.begin(), fields_.end(), name);
  if (found != fields_.end()) return static_cast<std::size_t>(found - fields_.begin());
  fields_.push_back(name);
  return fields_.size() - 1;
}

bool RecordRule::level_counts(std::string_view raw) const {
  const std::optional<std::string> level = string_value(raw);
  if (!level) return false;
  return std::any_of(options_.levels.begin(), options_.levels.end(), [&](const std::string& wanted) {
    return options_.ignore_case ? equal_folded(*level, wanted) : *level == wanted;
  });
}

bool RecordRule::time_counts(const Values& values) const {
  if (!options_.since) return true;
  for (const std::size_t field : time_fields_) {
    if (values[field].empty()) continue;
    if (const std::optional<Timestamp> time = time_value(values[field])) return *time >= *options_.since;
  }
  return false;
}

std::string group_name(std::string_view raw) {
  if (raw.empty() || raw == "null" || raw == "false" || raw == "\"\"") return std::string(kUnknownGroup);
  switch (raw.front()) {
    case '"':
      return unescape_json_text(raw.substr(1, raw.size() - 2));
    case '[':
    case '{': {
      std::string text = compact_json(raw);
      return text.size() == 2 ? std::string(kUnknownGroup) : text;
    }
    case 't':
    case 'N':
    case 'I':
      return std::string(raw);
    default:
      return raw != "-Infinity" && is_zero_number(raw) ? std::string(kUnknownGroup) : std::string(raw);
  }
}

std::string unescape_json_text(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  while (true) {
    const std::size_t escape = content.find('\\');
    out.append(content.substr(0, escape));
    if (escape == std::string_view::npos) return out;
    content.remove_prefix(escape);
    if (content[1] == 'u') {
      content.remove_prefix(append_unicode_escape(out, content));
    } else {
      out.push_back(plain_escape(content[1]));
      content.remove_prefix(2);
    }
  }
}

}  // namespace dendro
