// The part of JsonReader that keeps arrays and deep objects as JSON text: checked, without white space, escapes in
// shortest form.
#include <cstring>

#include "parse/json_reader.h"

namespace dendro {
namespace {

constexpr const char* kContainerEnds = "text ends inside a list or object";

bool is_container_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::uint32_t code_unit_of(const char* digits) {
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const auto c = static_cast<unsigned char>(digits[i]);
    unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20u) - 'a' + 10u);
  }
  return unit;
}

/// Writes one UTF-16 unit that stood as `\uXXXX`: itself if it is printable ASCII, else its shortest escape.
char* put_unit(char* to, std::uint32_t unit) {
  constexpr std::string_view kShortened = "\"\\\n\r\t\b\f";
  constexpr std::string_view kLetters = "\"\\nrtbf";
  if (unit < 0x80) {
    const std::size_t known = kShortened.find(static_cast<char>(unit));
    if (known != std::string_view::npos) {
      *to++ = '\\';
      *to++ = kLetters[known];
      return to;
    }
    if (unit >= 0x20) {
      *to++ = static_cast<char>(unit);
      return to;
    }
  }
  constexpr char kDigits[] = "0123456789abcdef";
  *to++ = '\\';
  *to++ = 'u';
  for (unsigned shift = 16; shift > 0; shift -= 4) *to++ = kDigits[(unit >> (shift - 4)) & 15];
  return to;
}

/// Checked JSON without white space, escapes in shortest form; writes at most json.size() bytes and returns their end.
char* put_compact_json(char* to, std::string_view json) {
  const char* at = json.data();
  const char* const end = at + json.size();
  bool in_string = false;
  while (at < end) {
    const char c = *at;
    if (!in_string) {
      if (c == '"') in_string = true;
      if (!is_container_space(c)) *to++ = c;
      ++at;
    } else if (c != '\\') {
      if (c == '"') in_string = false;
      *to++ = c;
      ++at;
    } else if (at[1] == 'u') {
      to = put_unit(to, code_unit_of(at + 2));
      at += 6;
    } else {
      if (at[1] != '/') *to++ = '\\';
      *to++ = at[1];
      at += 2;
    }
  }
  return to;
}

}  // namespace

bool JsonReader::read_container_text(std::string_view& out) {
  const char* const first = at_;
  has_slack_ = false;
  if (!skip_container()) return false;
  out = {first, static_cast<std::size_t>(at_ - first)};
  if (!has_slack_) return true;
  char* const room = arena_.take(out.size());
  const char* const last = put_compact_json(room, out);
  arena_.shrink_last(last);
  out = {room, static_cast<std::size_t>(last - room)};
  return true;
}

// A machine of two states, "a value comes" and "a value has ended", over a stack of open brackets: no recursion, any
// depth.
bool JsonReader::skip_container() {
  brackets_.clear();
  for (;;) {
    skip_slack();
    if (at_ == end_) return fail(kContainerEnds);
    const char c = *at_;
    if (c == '{' || c == '[') {
      brackets_.push_back(c);
      ++at_;
      skip_slack();
      if (at_ == end_) return fail(kContainerEnds);
      if (*at_ != (c == '{' ? '}' : ']')) {
        if (c == '{' && !skip_member_name()) return false;
        continue;
      }
    } else if (c == '"') {
      if (!skip_string()) return false;
    } else {
      Value ignored;
      if (!read_leaf(ignored, 1)) return false;
    }
    for (;;) {  // a value has ended
      skip_slack();
      if (at_ == end_) return fail(kContainerEnds);
      const bool in_object = brackets_.back() == '{';
      if (*at_ == ',') {
        ++at_;
        if (in_object && !skip_member_name()) return false;
        break;
      }
      if (*at_ != (in_object ? '}' : ']')) {
        return fail(in_object ? "expected ',' or '}' behind a member" : "expected ',' or ']' in a list");
      }
      ++at_;
      brackets_.pop_back();
      if (brackets_.empty()) return true;
    }
  }
}

void JsonReader::skip_slack() {
  if (at_ == end_ || !is_container_space(*at_)) return;
  has_slack_ = true;
  skip_space();
}

bool JsonReader::skip_member_name() {
  skip_slack();
  if (at_ == end_) return fail(kContainerEnds);
  if (*at_ != '"') return fail("expected a member name in quotes");
  if (!skip_string()) return false;
  skip_slack();
  if (at_ == end_) return fail(kContainerEnds);
  if (*at_ != ':') return fail("expected ':' behind a member name");
  ++at_;
  return true;
}

bool JsonReader::skip_string() {
  ++at_;
  for (;;) {
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
    if (at_ == end_) return fail(kContainerEnds);
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (*at_ != '\\') return fail("control character in a string");
    has_slack_ = true;
    if (++at_ == end_) return fail(kContainerEnds);
    if (*at_ == 'u') {
      std::uint32_t unit = 0;
      if (!read_code_unit(unit)) return false;
    } else if (*at_ != '\0' && std::strchr("\"\\/bfnrt", *at_) != nullptr) {
      ++at_;
    } else {
      return fail("unknown escape in a string");
    }
  }
}

}  // namespace dendro
