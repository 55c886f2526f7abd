#include "parse/lines/line_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace dendro {

void LineFields::clear() {
  nodes_.clear();
  arena_.clear();
  bytes_ = 0;
}

void LineFields::add(std::string_view name, const Value& value) {
  nodes_.push_back({JsonNode::Kind::leaf, name, value});
  bytes_ += name.size() + value.text.size() + sizeof(std::int64_t);
}

void LineFields::add_some_text(std::string_view name, std::string_view text) {
  if (!text.empty() && text != "-") add_text(name, text);
}

void LineFields::add_number(std::string_view name, std::string_view digits) {
  std::int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  const bool is_plain = digits.size() == 1 || !digits.starts_with('0');
  if (read.ec == std::errc() && read.ptr == end && !digits.empty() && is_plain) {
    add(name, Value::of_int64(number));
  } else {
    add_text(name, digits);
  }
}

void LineFields::extend_body(std::string_view first, std::string_view whole) {
  const auto body = std::find_if(nodes_.begin(), nodes_.end(), [](const JsonNode& node) { return node.key == "body"; });
  if (body == nodes_.end()) return add_text("body", whole);
  std::string_view text = body->value.text;
  bytes_ -= text.size();
  const char* const end = whole.data() + whole.size();
  if (text.data() + text.size() == first.data() + first.size()) {
    text = std::string_view(text.data(), static_cast<std::size_t>(end - text.data()));
    const std::size_t begin = text.find_first_not_of("\r\n");  // behind a body that was empty
    text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
  } else {
    text = keep(std::string(text).append(whole.substr(first.size())));
  }
  body->value = value_of_string(text);
  bytes_ += text.size();
}

void LineFields::set(const std::vector<JsonNode>& nodes, std::size_t bytes) {
  nodes_ = nodes;
  bytes_ = bytes;
}

std::string_view LineFields::keep(std::string_view text) {
  if (text.empty()) return {};
  char* const room = arena_.take(text.size());
  std::memcpy(room, text.data(), text.size());
  return {room, text.size()};
}

std::unique_ptr<LineFormat> make_line_format(ParseFormat format, const LineTimeDefaults& times) {
  switch (format) {
    case ParseFormat::json:
      return make_json_line_format();
    case ParseFormat::logfmt:
      return make_logfmt_format();
    case ParseFormat::syslog:
      return make_syslog_format(times);
    case ParseFormat::access:
      return make_access_format(times);
    case ParseFormat::nginx_error:
      return make_nginx_error_format(times);
    case ParseFormat::apache_error:
      return make_apache_error_format(times);
    case ParseFormat::klog:
      return make_klog_format(times);
    case ParseFormat::log4j:
      return make_log4j_format(times);
    case ParseFormat::auto_detect:
    case ParseFormat::text:
    case ParseFormat::csv:
      break;
  }
  return nullptr;
}

std::vector<std::unique_ptr<LineFormat>> make_line_formats(const LineTimeDefaults& times) {
  std::vector<std::unique_ptr<LineFormat>> formats;
  for (const ParseFormat format :
       {ParseFormat::json, ParseFormat::access, ParseFormat::klog, ParseFormat::nginx_error, ParseFormat::apache_error,
        ParseFormat::syslog, ParseFormat::log4j, ParseFormat::logfmt}) {
    formats.push_back(make_line_format(format, times));
  }
  return formats;
}

}  // namespace dendro
