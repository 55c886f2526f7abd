#include "filter/list_elements.h"

#include <cstdint>
#include <optional>

#include "base/utf8.h"

namespace dendro {
namespace {

/// Walks the elements of one JSON array. Lenient: what it cannot read ends the walk.
class ListReader {
 public:
  explicit ListReader(std::string_view json) : text_(json) {}

  /// `visit(is_scalar, value)` for each element.
  template <typename Visit>
  void walk(Visit&& visit) {
    skip_space();
    if (!take('[')) return;
    skip_space();
    if (take(']')) return;
    do {
      skip_space();
      Value value;
      bool is_scalar = true;
      if (!read_element(value, is_scalar) || !visit(is_scalar, value)) return;
      skip_space();
    } while (take(','));
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool read_element(Value& value, bool& is_scalar) {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_];
    if (c == '"') return read_string(value);
    if (c == '[' || c == '{') {
      is_scalar = false;
      const std::size_t first = at_;
      if (!skip_nested()) return false;
      value = Value::of_list(text_.substr(first, at_ - first));
      return true;
    }
    const std::size_t first = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ']' && text_[at_] != ' ' && text_[at_] != '\n')
      ++at_;
    const std::string_view word = text_.substr(first, at_ - first);
    if (word == "null") {
      value = Value::of_null();
    } else if (word == "true" || word == "false") {
      value = Value::of_bool(word == "true");
    } else {
      value = value_of_numeral(word);
    }
    return !word.empty();
  }
  bool skip_nested() {
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) at_ += text_[at_] == '\\' ? 1u : 0u;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if ((c == ']' || c == '}') && --depth == 0) {
        ++at_;
        return true;
      }
    }
    return false;
  }
  bool read_string(Value& value) {
    const std::size_t first = ++at_;
    const std::size_t stop = text_.find_first_of("\"\\", at_);
    if (stop == std::string_view::npos) return false;
    if (text_[stop] == '"') {
      value = value_of_string(text_.substr(first, stop - first));
      at_ = stop + 1;
      return true;
    }
    unescaped_.assign(text_.substr(first, stop - first));
    for (at_ = stop; at_ < text_.size() && text_[at_] != '"';) {
      if (text_[at_] != '\\') {
        unescaped_.push_back(text_[at_++]);
      } else if (!read_escape()) {
        return false;
      }
    }
    value = value_of_string(unescaped_);
    return take('"');
  }
  bool read_escape() {
    if (at_ + 1 >= text_.size()) return false;
    const char c = text_[at_ + 1];
    at_ += 2;
    static constexpr std::string_view kNames = "bfnrt";
    static constexpr std::string_view kChars = "\b\f\n\r\t";
    if (c == 'u') return read_unicode();
    const std::size_t index = kNames.find(c);
    unescaped_.push_back(index == std::string_view::npos ? c : kChars[index]);
    return true;
  }
  std::optional<std::uint32_t> take_hex4() {
    if (at_ + 4 > text_.size()) return std::nullopt;
    std::uint32_t unit = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const char c = text_[at_ + i];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      unit = unit * 16 + static_cast<std::uint32_t>(digit);
    }
    at_ += 4;
    return unit;
  }
  bool read_unicode() {
    auto unit = take_hex4();
    if (!unit) return false;
    if (*unit >= 0xD800 && *unit < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const std::size_t before = at_;
      at_ += 2;
      const auto low = take_hex4();
      if (low && *low >= 0xDC00 && *low < 0xE000) {
        append_utf8(unescaped_, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
        return true;
      }
      at_ = before;
    }
    append_utf8(unescaped_, *unit >= 0xD800 && *unit < 0xE000 ? char32_t{0xFFFD} : static_cast<char32_t>(*unit));
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string unescaped_;
};

}  // namespace

void for_each_list_scalar(std::string_view json, const std::function<bool(const Value&)>& visit) {
  ListReader(json).walk(
      [&](bool is_scalar, const Value& value) { return !is_scalar || value.is_missing() || visit(value); });
}

void for_each_list_element(std::string_view json, const std::function<bool(const Value&)>& visit) {
  ListReader(json).walk([&visit](bool, const Value& value) { return visit(value); });
}

bool list_has_content(std::string_view json) {
  bool found = false;
  ListReader(json).walk([&](bool is_scalar, const Value& value) {
    const bool is_empty_text = value.type == ValueType::text && value.text.empty();
    found = !is_scalar || (!value.is_missing() && !is_empty_text);
    return !found;
  });
  return found;
}

}  // namespace dendro
