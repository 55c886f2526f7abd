#pragma once

#include <cstddef>
#include <string_view>

namespace dendro {

/// Cuts a line from its front. Borrows the text.
class LineCutter {
 public:
  explicit LineCutter(std::string_view rest) : rest_(rest) {}

  std::string_view rest() const { return rest_; }
  void skip(std::size_t bytes) { rest_.remove_prefix(bytes < rest_.size() ? bytes : rest_.size()); }
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  /// True if the text stood there.
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  /// Up to a blank, which goes too.
  std::string_view take_word() { return take_until(' '); }
  /// Up to `end`, which goes too; all if it does not stand there.
  std::string_view take_until(char end) {
    const std::size_t size = rest_.find(end);
    const std::string_view text = rest_.substr(0, size);
    skip(size == std::string_view::npos ? rest_.size() : size + 1);
    return text;
  }
  /// `12345`; empty: no digits there.
  std::string_view take_digits() {
    std::size_t size = 0;
    while (size < rest_.size() && rest_[size] >= '0' && rest_[size] <= '9') ++size;
    const std::string_view digits = rest_.substr(0, size);
    skip(size);
    return digits;
  }
  /// What stands in quotation marks, as written; a backslash takes the next character with it. False: none there, or
  /// never closed.
  bool take_quoted(std::string_view& text) {
    if (!rest_.starts_with('"')) return false;
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"') at += rest_[at] == '\\' ? 2 : 1;
    if (at >= rest_.size()) return false;
    text = rest_.substr(1, at - 1);
    skip(at + 1);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace dendro
