#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "query/translate/dialect_text.h"

namespace dendro {

struct FunctionName {
  std::string_view theirs, ours;
};
template <std::size_t N>
std::string_view ours(const std::array<FunctionName, N>& table, std::string_view theirs) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const FunctionName& f) { return f.theirs == theirs; });
  return row == table.end() ? std::string_view() : row->ours;
}

/// A place in a text of CloudWatch Logs Insights: names may hold `@`, "#" begins a comment. As DialectText.
class InsightsText : public DialectText {
 public:
  explicit InsightsText(std::string_view text) : DialectText(text, {"_.@", '#'}) {}

  bool take_keyword(std::string_view keyword) {
    const std::string_view word = peek_word();
    if (lower_ascii(word) != keyword) return false;
    at_ += word.size();
    return true;
  }
  /// The name of a field as it is here. Errors: invalid_argument.
  Result<std::string> take_name() {
    if (take("`")) {
      const std::size_t end = text_.find('`', at_);
      if (end == std::string_view::npos) return fail("this \"`\" is never closed");
      const std::string name(text_.substr(at_, end - at_));
      at_ = end + 1;
      return name;
    }
    const std::string_view word = peek_word();
    if (word.empty()) return fail("the name of a field must stand here");
    if (word[0] == '@' && !word.starts_with("@@")) {
      static constexpr std::array<FunctionName, 5> kOwn = {{{"@timestamp", "_time"},
                                                            {"@message", "body"},
                                                            {"@ingestionTime", "_observed"},
                                                            {"@logStream", "aws.log.stream"},
                                                            {"@logGroup", "aws.log.group"}}};
      const std::string_view own = ours(kOwn, word);
      if (own.empty())
        return fail("\"" + std::string(word) + "\" is a field that CloudWatch makes: it has no translation");
      at_ += word.size();
      return std::string(own);
    }
    at_ += word.size();
    return std::string(word.substr(word.starts_with("@@") ? 1 : 0));
  }
  bool is_string_ahead() {
    const char c = peek();
    return c == '"' || c == '\'';
  }
  Result<std::string> take_string() {
    const char quote = peek();
    if (!is_string_ahead()) return fail("a text in quotes must stand here");
    const std::size_t before = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value.push_back(text_[at_++]);
    }
    if (at_ == text_.size()) {
      at_ = before;
      return fail("this quote is never closed");
    }
    ++at_;
    return value;
  }
  /// `/re/`; named groups as RE2 writes them.
  Result<std::string> take_regex() {
    const std::size_t before = at_;
    DENDRO_TRY(expect("/"));
    std::string pattern;
    while (at_ < text_.size() && text_[at_] != '/') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '/')
        pattern.push_back(text_[at_++]);
      else if (text_[at_] == '\\')
        ++at_;
      if (at_ < text_.size()) pattern.push_back(text_[at_++]);
      if (pattern.ends_with("(?<") && at_ < text_.size() && text_[at_] != '=' && text_[at_] != '!')
        pattern.replace(pattern.size() - 1, 1, "P<");
    }
    if (at_ >= text_.size()) {
      at_ = before;
      return fail("this \"/\" is never closed");
    }
    ++at_;
    return pattern;
  }
  std::optional<double> take_number() {
    skip_blanks();
    std::size_t end = at_ + (at_ < text_.size() && text_[at_] == '-' ? 1 : 0);
    while (end < text_.size() && is_name(text_[end])) ++end;
    double number = 0;
    const auto read = std::from_chars(text_.data() + at_, text_.data() + end, number);
    if (read.ec != std::errc() || read.ptr != text_.data() + end || end == at_) return std::nullopt;
    at_ = end;
    return number;
  }
  std::string_view since(std::size_t first) const { return text_.substr(first, at_ - first); }
};

}  // namespace dendro
