#include <string>

#include "base/utf8.h"
#include "parse/lines/text_fields.h"

namespace dendro {
namespace {

bool is_logfmt_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20;
}

/// Cuts pairs off the front of a text.
class LogfmtCutter {
 public:
  explicit LogfmtCutter(std::string_view text) : text_(text) {}

  /// False at the end. `is_pair`: a name with a value.
  bool next(std::string_view& name, std::string& value, bool& is_pair) {
    while (at_ < text_.size() && is_logfmt_blank(text_[at_])) ++at_;
    if (at_ >= text_.size()) return false;
    const std::size_t first = at_;
    while (at_ < text_.size() && !is_logfmt_blank(text_[at_]) && text_[at_] != '=' && text_[at_] != '"') ++at_;
    name = text_.substr(first, at_ - first);
    is_pair = at_ < text_.size() && text_[at_] == '=' && !name.empty();
    if (!is_pair) {
      // A lone word, quotation mark or "=": passed over with what touches it.
      while (at_ < text_.size() && !is_logfmt_blank(text_[at_])) ++at_;
      return true;
    }
    ++at_;
    value.clear();
    if (at_ < text_.size() && text_[at_] == '"') {
      take_quoted(value);
    } else {
      const std::size_t begin = at_;
      while (at_ < text_.size() && !is_logfmt_blank(text_[at_])) ++at_;
      value = text_.substr(begin, at_ - begin);
    }
    return true;
  }

 private:
  /// Up to the closing quotation mark, or the end of a text that was cut.
  void take_quoted(std::string& value) {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 >= text_.size()) {
        value.push_back(text_[at_]);
        continue;
      }
      const char escaped = text_[++at_];
      value.push_back(escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped);
    }
    if (at_ < text_.size()) ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool read_logfmt(std::string_view text, const TextFieldVisitor& visit, std::size_t* words_passed_over) {
  LogfmtCutter cutter(text);
  std::string_view name;
  std::string value;
  bool is_pair = false;
  bool found = false;
  std::size_t passed_over = 0;
  while (cutter.next(name, value, is_pair)) {
    found = found || is_pair;
    if (is_pair && is_valid_utf8(name)) {
      visit(name, value_of_string(value));
    } else {
      ++passed_over;
    }
  }
  if (words_passed_over != nullptr) *words_passed_over = passed_over;
  return found;
}

}  // namespace dendro
