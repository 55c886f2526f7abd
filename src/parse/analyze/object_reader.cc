#include "parse/analyze/object_reader.h"

#include <algorithm>
#include <cstring>

namespace dendro {
namespace {

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_number_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return is_number_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

void ObjectReader::reset() {
  state_ = State::complete;
  text_.clear();
  if (text_.capacity() > (std::size_t{1} << 20)) text_.shrink_to_fit();
  at_ = 0;
  expect_ = Expect::top_value;
  depth_ = 0;
  objects_ = 0;
  other_values_ = 0;
  matches_.clear();
}

ObjectReader::State ObjectReader::feed(std::string_view text) {
  if (state_ == State::failed) return state_;
  text_.append(text);
  text_.push_back('\n');
  while (true) {
    skip_space();
    if (at_ == text_.size()) break;
    if (!step()) return state_;
  }
  state_ = depth_ == 0 ? State::complete : State::incomplete;
  return state_;
}

void ObjectReader::drop_complete() {
  if (state_ != State::incomplete) {
    reset();
    return;
  }
  text_.erase(0, top_first_);
  at_ -= top_first_;
  value_first_ -= std::min(value_first_, top_first_);
  for (Span& span : spans_) {
    if (span.last != 0) span = {span.first - top_first_, span.last - top_first_};
  }
  top_first_ = 0;
  objects_ = 0;
  other_values_ = 0;
  matches_.clear();
}

void ObjectReader::skip_space() {
  // Between values at the top a NUL is blank too: files cut while their writer goes on have holes there.
  while (at_ < text_.size() && (is_json_space(text_[at_]) || (text_[at_] == '\0' && depth_ == 0))) ++at_;
}

bool ObjectReader::fail(SkipReason reason) {
  state_ = State::failed;
  failure_ = reason;
  return false;
}

/// Takes one token. `text_` always ends with a line feed, so looking at the byte behind a token is safe.
bool ObjectReader::step() {
  const char c = text_[at_];
  switch (expect_) {
    case Expect::top_value:
      top_first_ = at_;
      top_is_object_ = c == '{';
      wanted_field_ = -1;
      spans_ = {};
      return take_value(c);
    case Expect::value:
      return take_value(c);
    case Expect::first_element:
      return c == ']' ? close_container(c) : take_value(c);
    case Expect::first_key:
      return c == '}' ? close_container(c) : take_key();
    case Expect::key:
      return take_key();
    case Expect::colon:
      if (c != ':') return fail(SkipReason::not_json);
      ++at_;
      expect_ = Expect::value;
      return true;
    case Expect::comma:
      if (c == '}' || c == ']') return close_container(c);
      if (c != ',') return fail(SkipReason::not_json);
      ++at_;
      expect_ = inside_object() ? Expect::key : Expect::value;
      return true;
  }
  return fail(SkipReason::not_json);
}

bool ObjectReader::take_value(char c) {
  if (depth_ == 1 && wanted_field_ >= 0) value_first_ = at_;
  if (c == '{' || c == '[') return open_container(c);
  if (!take_scalar(c)) return fail(SkipReason::not_json);
  end_value();
  return true;
}

bool ObjectReader::open_container(char c) {
  if (depth_ == kCountDepthMax) return fail(SkipReason::too_deep);
  in_object_[depth_] = c == '{';
  ++depth_;
  ++at_;
  expect_ = c == '{' ? Expect::first_key : Expect::first_element;
  return true;
}

bool ObjectReader::close_container(char c) {
  if ((c == '}') != inside_object()) return fail(SkipReason::not_json);
  --depth_;
  ++at_;
  end_value();
  return true;
}

void ObjectReader::end_value() {
  if (depth_ == 0) {
    end_top_value();
    expect_ = Expect::top_value;
    return;
  }
  if (depth_ == 1 && wanted_field_ >= 0) {
    spans_[static_cast<std::size_t>(wanted_field_)] = {value_first_, at_};
    wanted_field_ = -1;
  }
  expect_ = Expect::comma;
}

void ObjectReader::end_top_value() {
  if (!top_is_object_) {
    ++other_values_;
    return;
  }
  ++objects_;
  RecordRule::Values values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (spans_[i].last != 0)
      values[i] = std::string_view(text_).substr(spans_[i].first, spans_[i].last - spans_[i].first);
  }
  if (rule_.counts(values)) matches_.push_back(group_name(values[rule_.group_field()]));
}

bool ObjectReader::take_key() {
  const std::size_t first = at_ + 1;
  std::size_t last = 0;
  if (text_[at_] != '"' || !take_string(last)) return fail(SkipReason::not_json);
  expect_ = Expect::colon;
  if (depth_ != 1 || !top_is_object_) return true;
  const std::string_view content = std::string_view(text_).substr(first, last - first);
  const bool escaped = content.find('\\') != std::string_view::npos;
  const std::string unescaped = escaped ? unescape_json_text(content) : std::string();
  const std::string_view name = escaped ? std::string_view(unescaped) : content;
  wanted_field_ = -1;
  for (std::size_t i = 0; i < rule_.fields().size(); ++i) {
    if (name == rule_.fields()[i]) wanted_field_ = static_cast<int>(i);
  }
  return true;
}

bool ObjectReader::take_scalar(char c) {
  std::size_t content_last = 0;
  switch (c) {
    case '"':
      return take_string(content_last);
    case 't':
      return take_word("true");
    case 'f':
      return take_word("false");
    case 'n':
      return take_word("null");
    case 'N':
      return take_word("NaN");
    case 'I':
      return take_word("Infinity");
    case '-':
      return text_[at_ + 1] == 'I' ? take_word("-Infinity") : take_number();
    default:
      return take_number();
  }
}

bool ObjectReader::take_word(std::string_view word) {
  if (text_.compare(at_, word.size(), word) != 0) return false;
  at_ += word.size();
  return true;
}

bool ObjectReader::take_string(std::size_t& content_last) {
  std::size_t i = at_ + 1;
  while (true) {
    const char c = text_[i];
    if (c == '"') break;
    if (static_cast<unsigned char>(c) < 0x20) return false;  // the line feed at the end too
    if (c != '\\') {
      ++i;
      continue;
    }
    const char escape = text_[i + 1];
    if (escape == '\0' || std::strchr("\"\\/bfnrtu", escape) == nullptr) return false;
    if (escape == 'u') {
      for (std::size_t digit = i + 2; digit < i + 6; ++digit) {
        if (!is_hex_digit(text_[digit])) return false;  // stops at the line feed at the latest
      }
      i += 4;
    }
    i += 2;
  }
  content_last = i;
  at_ = i + 1;
  return true;
}

bool ObjectReader::take_number() {
  std::size_t i = at_;
  const auto take_digits = [&] {
    const std::size_t first = i;
    while (is_number_digit(text_[i])) ++i;
    return i > first;
  };
  if (text_[i] == '-') ++i;
  if (text_[i] == '0') {
    ++i;
  } else if (!take_digits()) {
    return false;
  }
  if (text_[i] == '.') {
    ++i;
    if (!take_digits()) return false;
  }
  if (text_[i] == 'e' || text_[i] == 'E') {
    ++i;
    if (text_[i] == '+' || text_[i] == '-') ++i;
    if (!take_digits()) return false;
  }
  at_ = i;
  return true;
}

}  // namespace dendro
