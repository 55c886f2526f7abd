#include "services/audit/compact_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "record/fold.h"

namespace dendro {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::array<std::string_view, 7> kMaskedNames = {"password",      "passwd",  "secret", "token",
                                                          "authorization", "api_key", "cookie"};

/// Bytes of the string that begins the text, quotes included.
std::size_t quoted_bytes(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2u : 1u;
  return std::min(at + 1, text.size());
}

std::uint32_t hex4(std::string_view digits) {
  std::uint32_t number = 0;
  for (const char c : digits.substr(0, 4)) {
    const auto digit = static_cast<std::uint32_t>(fold_ascii(c));
    number = number * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return number;
}

/// Takes the escape at the front of `rest`, which begins with a backslash.
void append_unescaped(std::string& out, std::string_view& rest) {
  constexpr std::string_view kLetters = "bfnrt";
  constexpr std::string_view kControls = "\b\f\n\r\t";
  const char c = rest[1];
  rest.remove_prefix(2);
  if (c != 'u') {
    const std::size_t control = kLetters.find(c);
    out.push_back(control == std::string_view::npos ? c : kControls[control]);
    return;
  }
  char32_t code_point = hex4(rest);
  rest.remove_prefix(4);
  const bool is_high = code_point >= 0xD800 && code_point < 0xDC00;
  if (is_high && rest.starts_with("\\u")) {
    const char32_t low = hex4(rest.substr(2));
    if (low >= 0xDC00 && low < 0xE000) {
      rest.remove_prefix(6);
      return append_utf8(out, 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00));
    }
  }
  if (code_point >= 0xD800 && code_point < 0xE000) code_point = 0xFFFD;
  append_utf8(out, code_point);
}

bool visit_scalar(const JsonToken& token, const std::function<bool(std::string_view text)>& visit) {
  if (token.kind == JsonToken::Kind::plain) return token.text == "null" || visit(token.text);
  return token.kind != JsonToken::Kind::text || visit(json_token_text(token.text));
}

}  // namespace

JsonToken JsonTokens::take(JsonToken::Kind kind, std::size_t bytes) {
  const JsonToken token{kind, text_.substr(at_, bytes)};
  at_ += bytes;
  return token;
}

JsonToken JsonTokens::next() {
  while (at_ < text_.size() && std::string_view(" \t\r\n,:").find(text_[at_]) != std::string_view::npos) {
    if (text_[at_] == ',') wants_key_ = !brackets_.empty() && brackets_.back() == '{';
    ++at_;
  }
  if (at_ == text_.size()) return {};
  const char c = text_[at_];
  if (c == '{' || c == '[') {
    brackets_.push_back(c);
    wants_key_ = c == '{';
    return take(JsonToken::Kind::open, 1);
  }
  if (c == '}' || c == ']') {
    if (!brackets_.empty()) brackets_.pop_back();
    wants_key_ = false;
    return take(JsonToken::Kind::close, 1);
  }
  if (c == '"') {
    const bool is_key = std::exchange(wants_key_, false);
    return take(is_key ? JsonToken::Kind::key : JsonToken::Kind::text, quoted_bytes(text_.substr(at_)));
  }
  const std::size_t last = std::min(text_.find_first_of(" \t\r\n,:]}", at_), text_.size());
  return take(JsonToken::Kind::plain, last - at_);
}

std::string_view JsonTokens::take_value() {
  const std::size_t outer = depth();
  JsonToken token = next();
  if (token.kind == JsonToken::Kind::close || token.kind == JsonToken::Kind::end) return {};
  const char* const first = token.text.data();
  while (depth() > outer) token = next();
  return {first, static_cast<std::size_t>(token.text.data() + token.text.size() - first)};
}

std::string json_token_text(std::string_view quoted) {
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  std::string text;
  text.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    text.append(rest.substr(0, plain));
    rest.remove_prefix(plain);
    if (!rest.empty()) append_unescaped(text, rest);
  }
  return text;
}

void for_each_json_scalar(std::string_view json, const std::function<bool(std::string_view text)>& visit) {
  JsonTokens tokens(json);
  for (JsonToken token = tokens.next(); token.kind != JsonToken::Kind::end; token = tokens.next()) {
    if (!visit_scalar(token, visit)) return;
  }
}

void for_each_member_scalar(std::string_view json, std::string_view name,
                            const std::function<bool(std::string_view text)>& visit) {
  JsonTokens tokens(json);
  tokens.next();  // the bracket
  for (JsonToken token = tokens.next(); token.kind == JsonToken::Kind::key; token = tokens.next()) {
    if (json_token_text(token.text) != name) {
      tokens.take_value();
      continue;
    }
    const std::string_view value = tokens.take_value();
    if (value.starts_with('{')) continue;
    if (!value.starts_with('[')) {
      if (!visit_scalar(JsonTokens(value).next(), visit)) return;
      continue;
    }
    JsonTokens elements(value);
    elements.next();  // the bracket
    for (std::string_view element = elements.take_value(); !element.empty(); element = elements.take_value()) {
      const bool is_scalar = !element.starts_with('[') && !element.starts_with('{');
      if (is_scalar && !visit_scalar(JsonTokens(element).next(), visit)) return;
    }
  }
}

bool is_masked_name(std::string_view name) {
  return std::ranges::any_of(kMaskedNames, [name](std::string_view masked) {
    return std::ranges::equal(name, masked, [](char a, char b) { return fold_ascii(a) == b; });
  });
}

std::string masked_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  JsonWriter writer(out);
  JsonTokens tokens(json);
  for (JsonToken token = tokens.next(); token.kind != JsonToken::Kind::end; token = tokens.next()) {
    switch (token.kind) {
      case JsonToken::Kind::open:
        token.text == "{" ? writer.begin_object() : writer.begin_array();
        break;
      case JsonToken::Kind::close:
        token.text == "}" ? writer.end_object() : writer.end_array();
        break;
      case JsonToken::Kind::key: {
        const std::string name = json_token_text(token.text);
        writer.key(name);
        if (!is_masked_name(name)) break;
        writer.value(kMask);
        tokens.take_value();
        break;
      }
      case JsonToken::Kind::text:
        writer.value(json_token_text(token.text));
        break;
      case JsonToken::Kind::plain:
        writer.raw(token.text);
        break;
      case JsonToken::Kind::end:
        break;
    }
  }
  return out;
}

}  // namespace dendro
