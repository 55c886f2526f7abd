#pragma once

#include <string>
#include <string_view>

#include "query/translate/dialect_text.h"

namespace dendro {

/// A place in a LogQL text. As DialectText.
class LogqlText : public DialectText {
 public:
  explicit LogqlText(std::string_view text) : DialectText(text, {"_.", '\0'}) {}

  /// The same of a whole word.
  bool take_word(std::string_view word) {
    skip_blanks();
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(word) || (rest.size() > word.size() && is_name(rest[word.size()]))) return false;
    at_ += word.size();
    return true;
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
    while (at_ < text_.size() && (is_name(text_[at_]) || text_[at_] == '-' || text_[at_] == '+')) ++at_;
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
};

}  // namespace dendro
