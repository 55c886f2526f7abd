#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "filter/predicate_text.h"

namespace dendro {

/// A place in a LogQL text. Not thread-safe; borrows the text.
class LogqlText {
 public:
  explicit LogqlText(std::string_view text) : text_(text) {}

  std::size_t offset() const { return at_; }
  void go_back(std::size_t offset) { at_ = offset; }
  Error fail(const std::string& what) const {
    return Error(ErrorCode::invalid_argument, "offset " + std::to_string(at_) + ": " + what);
  }

  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  /// The next character that is no blank; 0 at the end.
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(std::string_view what) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  /// The same of a whole word.
  bool take_word(std::string_view word) {
    skip_blanks();
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(word) || (rest.size() > word.size() && is_label_char(rest[word.size()]))) return false;
    at_ += word.size();
    return true;
  }
  Status expect(std::string_view what) {
    if (take(what)) return {};
    return fail("expected \"" + std::string(what) + "\"");
  }
  /// A word that is looked at only.
  std::string_view peek_word() {
    skip_blanks();
    std::size_t end = at_;
    while (end < text_.size() && is_label_char(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  /// Letters, digits, `_`, `.`. Errors: invalid_argument.
  Result<std::string> take_label() {
    const std::string_view word = peek_word();
    if (word.empty()) return fail("the name of a label must stand here");
    at_ += word.size();
    return std::string(word);
  }
  /// A number, duration or size: letters, digits and `. + -`; empty if none is there.
  std::string take_number() {
    skip_blanks();
    const std::size_t first = at_;
    while (at_ < text_.size() && (is_label_char(text_[at_]) || text_[at_] == '-' || text_[at_] == '+')) ++at_;
    return std::string(text_.substr(first, at_ - first));
  }
  /// "..", with the escapes of Go, or `..` without. Errors: invalid_argument.
  Result<std::string> take_string() {
    const char quote = peek();
    if (quote != '"' && quote != '`') return fail("a text in quotes must stand here");
    const std::size_t before = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\' && quote == '"' && at_ < text_.size()) {
        c = text_[at_++];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      value.push_back(c);
    }
    if (at_ == text_.size()) {
      at_ = before;
      return fail("this quote is never closed");
    }
    ++at_;
    return value;
  }

  static bool is_label_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

/// As our language quotes.
inline std::string quoted_query_text(std::string_view text) {
  std::string out;
  append_query_string(out, text);
  return out;
}
inline std::string query_name(std::string_view name) {
  std::string out;
  append_query_name(out, name);
  return out;
}

}  // namespace dendro
