#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "filter/predicate_text.h"

namespace dendro {

/// A place in a text of another query language. Not thread-safe; borrows the text.
class DialectText {
 public:
  struct Rules {
    std::string_view name_chars;  ///< of names, beside letters and digits
    char comment = '\0';          ///< begins one that goes to the end of the line; 0: there are none
  };
  DialectText(std::string_view text, Rules rules) : text_(text), rules_(rules) {}

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
  Status expect(std::string_view what) {
    if (take(what)) return {};
    return fail("expected \"" + std::string(what) + "\"");
  }
  /// A name that is looked at only; empty if none is there.
  std::string_view peek_word() {
    skip_blanks();
    std::size_t end = at_;
    while (end < text_.size() && is_name(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

 protected:
  bool is_name(char c) const {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           rules_.name_chars.find(c) != std::string_view::npos;
  }
  void skip_blanks() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == rules_.comment && c != '\0') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        if (at_ == text_.size()) return;
      } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
        return;
      }
    }
  }

  const std::string_view text_;
  std::size_t at_ = 0;

 private:
  const Rules rules_;
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

/// ASCII letters in lower case.
inline std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace dendro
