#include <string>

#include "base/utf8.h"
#include "query/unpack/text_fields.h"

namespace dendro {
namespace {

bool is_kv_separator(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == ',' || c == ';' || c == '&';
}

}  // namespace

bool read_kv(std::string_view text, const TextFieldVisitor& visit) {
  bool found = false;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_kv_separator(text[at])) {
      ++at;
      continue;
    }
    const std::size_t first = at;
    while (at < text.size() && !is_kv_separator(text[at]) && text[at] != '=') ++at;
    const std::string_view name = text.substr(first, at - first);
    if (at >= text.size() || text[at] != '=') continue;
    ++at;
    std::string value;
    const char quote = at < text.size() ? text[at] : '\0';
    if (quote == '"' || quote == '\'') {
      const std::size_t close = text.find(quote, at + 1);
      value = text.substr(at + 1, close == std::string_view::npos ? close : close - at - 1);
      at = close == std::string_view::npos ? text.size() : close + 1;
    } else {
      const std::size_t begin = at;
      while (at < text.size() && !is_kv_separator(text[at])) ++at;
      value = text.substr(begin, at - begin);
    }
    if (name.empty() || !is_valid_utf8(name)) continue;
    found = true;
    visit(name, value_of_string(value));
  }
  return found;
}

}  // namespace dendro
