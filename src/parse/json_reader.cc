#include "parse/json_reader.h"

#include <cstring>

#include "base/utf8.h"
#include "parse/json_scan.h"

namespace dendro {
namespace {

constexpr const char* kTextEnds = "text ends inside a value";

/// Writes a code point or half a surrogate pair as (generalised) UTF-8; never more bytes than its escape has.
char* put_code_point(char* to, std::uint32_t code_point) {
  const auto put = [&to](std::uint32_t byte) { *to++ = static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
  return to;
}

bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

/// The byte a two-character escape stands for; NUL if there is none.
char unescaped(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
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
      return '\0';
  }
}

int hex_digit_value(char c) {
  if (is_json_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

JsonReader::JsonReader(int depth_max) : depth_max_(depth_max) {}

void JsonReader::skip_space() {
  while (at_ < end_ && is_json_space(*at_)) ++at_;
}

JsonRead JsonReader::read(std::string_view text, std::size_t offset) {
  nodes_.clear();
  arena_.clear();
  at_ = text.data() + offset;
  end_ = text.data() + text.size();
  what_ = "";
  skip_space();
  JsonRead read;
  bool ok = false;
  if (at_ < end_ && *at_ == '{') {
    ++at_;
    ok = read_members(0);
    read.kind = JsonRead::Kind::object;
    read.is_empty = nodes_.empty();
  } else {
    Value value;
    ok = read_leaf(value, 0);
    read.kind = JsonRead::Kind::other;
    read.is_empty = value.type == ValueType::list && value.text.size() == 2;
  }
  if (!ok) {
    // A fault at the very end is a text that stops short: a number is the one value whose end the end of the text may
    // be.
    read.kind = at_ >= end_ ? JsonRead::Kind::incomplete : JsonRead::Kind::malformed;
    read.what = what_;
  }
  read.end = static_cast<std::size_t>(at_ - text.data());
  return read;
}

void JsonReader::begin_values() {
  nodes_.clear();
  arena_.clear();
}

bool JsonReader::read_value(std::string_view text, std::size_t& offset, Value& value) {
  at_ = text.data() + offset;
  end_ = text.data() + text.size();
  constexpr int kMemberDepth = 1;
  if (!read_leaf(value, kMemberDepth)) return false;
  offset = static_cast<std::size_t>(at_ - text.data());
  return true;
}

// Behind `{`; takes the matching `}`.
bool JsonReader::read_members(int depth) {
  skip_space();
  if (at_ < end_ && *at_ == '}') {
    ++at_;
    return true;
  }
  for (;;) {
    if (at_ == end_) return fail(kTextEnds);
    if (*at_ != '"') return fail("expected a member name in quotes");
    std::size_t index = nodes_.size();
    nodes_.emplace_back();
    bool is_utf8 = true;
    if (!read_string(nodes_[index].key, is_utf8)) return false;
    skip_space();
    if (at_ == end_) return fail(kTextEnds);
    if (*at_ != ':') return fail("expected ':' behind a member name");
    ++at_;
    skip_space();
    if (at_ < end_ && *at_ == '{' && depth + 1 < depth_max_) {
      ++at_;
      nodes_[index].kind = JsonNode::Kind::open;
      if (!read_members(depth + 1)) return false;
      if (nodes_.size() == index + 1) {
        nodes_[index].kind = JsonNode::Kind::leaf;
        nodes_[index].value = Value::of_empty_object();
      } else {
        nodes_.emplace_back().kind = JsonNode::Kind::close;
      }
    } else if (!read_leaf(nodes_[index].value, depth + 1)) {
      return false;
    }
    skip_space();
    if (at_ == end_) return fail(kTextEnds);
    if (*at_ == '}') {
      ++at_;
      return true;
    }
    if (*at_ != ',') return fail("expected ',' or '}' behind a member");
    ++at_;
    skip_space();
  }
}

bool JsonReader::read_leaf(Value& value, int depth) {
  if (at_ == end_) return fail(kTextEnds);
  switch (*at_) {
    case '"': {
      std::string_view text;
      bool is_utf8 = true;
      if (!read_string(text, is_utf8)) return false;
      value = is_utf8 ? Value::of_text(text) : Value::of_bytes(text);
      return true;
    }
    case '{':
    case '[': {
      std::string_view text;
      if (!read_container_text(text)) return false;
      value = text == "{}" && depth > 0 ? Value::of_empty_object() : Value::of_list(text);
      return true;
    }
    case 't':
      value = Value::of_bool(true);
      return read_literal("true");
    case 'f':
      value = Value::of_bool(false);
      return read_literal("false");
    case 'n':
      value = Value::of_null();
      return read_literal("null");
    default:
      return read_numeral(value);
  }
}

bool JsonReader::read_literal(std::string_view word) {
  for (const char c : word) {
    if (at_ == end_) return fail(kTextEnds);
    if (*at_ != c) return fail("expected a value");
    ++at_;
  }
  return true;
}

bool JsonReader::read_numeral(Value& value) {
  if (*at_ != '-' && !is_json_digit(*at_)) return fail("expected a value");
  bool is_integer = false;
  const char* last = skip_numeral(at_, end_, is_integer);
  if (last == nullptr) {
    // "-" or "1." at the end of the text may go on; anywhere else they are faults where they stand.
    const char* stop = at_;
    while (stop < end_ && (is_json_digit(*stop) || std::strchr("+-.eE", *stop) != nullptr) && *stop != '\0') ++stop;
    if (stop == end_) at_ = end_;
    return fail("malformed number");
  }
  const std::string_view numeral(at_, static_cast<std::size_t>(last - at_));
  at_ = last;
  constexpr std::size_t kSafeDigits = 18;  // any such number fits int64
  if (is_integer && numeral.size() <= kSafeDigits && !(numeral[0] == '-' && numeral[1] == '0')) {
    std::int64_t number = 0;
    const bool is_negative = numeral[0] == '-';
    for (std::size_t i = is_negative ? 1 : 0; i < numeral.size(); ++i) number = number * 10 + (numeral[i] - '0');
    value = Value::of_int64(is_negative ? -number : number);
  } else {
    value = value_of_numeral(numeral);
  }
  return true;
}

bool JsonReader::read_string(std::string_view& out, bool& is_utf8) {
  const char* first = at_ + 1;
  bool has_high = false;
  const char* stop = find_string_stop(first, end_, has_high);
  at_ = stop;
  if (stop == end_) return fail(kTextEnds);
  if (*stop == '\\') return read_escaped_string(first, out, is_utf8);
  if (*stop != '"') return fail("control character in a string");
  ++at_;
  out = {first, static_cast<std::size_t>(stop - first)};
  is_utf8 = !has_high || is_valid_utf8(out);
  return true;
}

// at_ is at the first backslash of the string that begins at `first`.
bool JsonReader::read_escaped_string(const char* first, std::string_view& out, bool& is_utf8) {
  // Escapes only shrink: the room up to the closing quote is enough, and that quote is looked for once.
  const char* close = at_;
  bool has_high = false;
  while (close < end_ && *close != '"') {
    close += *close == '\\' ? 2 : 1;
    if (close < end_) close = find_string_stop(close, end_, has_high);
    if (close < end_ && *close != '"' && *close != '\\') {
      at_ = close;
      return fail("control character in a string");
    }
  }
  if (close >= end_) {
    at_ = end_;
    return fail(kTextEnds);
  }
  char* const room = arena_.take(static_cast<std::size_t>(close - first));
  char* to = room;
  const char* from = first;
  while (at_ < close) {
    std::memcpy(to, from, static_cast<std::size_t>(at_ - from));
    to += at_ - from;
    ++at_;
    if (*at_ == 'u') {
      std::uint32_t unit = 0;
      if (!read_code_unit(unit)) return false;
      if (is_high_surrogate(unit) && close - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
        const char* const before_low = at_++;
        std::uint32_t low = 0;
        if (!read_code_unit(low)) return false;
        if (is_low_surrogate(low)) {
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        } else {
          at_ = before_low;
        }
      }
      to = put_code_point(to, unit);
    } else {
      const char c = unescaped(*at_);
      if (c == '\0') return fail("unknown escape in a string");
      *to++ = c;
      ++at_;
    }
    from = at_;
    at_ = static_cast<const char*>(std::memchr(at_, '\\', static_cast<std::size_t>(close - at_)));
    if (at_ == nullptr) at_ = close;
  }
  std::memcpy(to, from, static_cast<std::size_t>(close - from));
  to += close - from;
  arena_.shrink_last(to);
  at_ = close + 1;
  out = {room, static_cast<std::size_t>(to - room)};
  is_utf8 = is_valid_utf8(out);
  return true;
}

// at_ is at the `u` of an escape; takes it and four digits.
bool JsonReader::read_code_unit(std::uint32_t& unit) {
  ++at_;
  unit = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < end_ ? hex_digit_value(*at_) : -1;
    if (digit < 0) return fail("malformed \\u escape in a string");
    unit = unit * 16 + static_cast<std::uint32_t>(digit);
  }
  return true;
}

}  // namespace dendro
