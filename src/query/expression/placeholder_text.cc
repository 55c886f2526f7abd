#include "query/language/pipe_ast.h"

namespace dendro {

PlaceholderText parse_placeholders(std::string_view text) {
  PlaceholderText parsed;
  parsed.text = text;
  std::string* literal = &parsed.literal;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('<', at);
    const std::size_t close = open == std::string_view::npos ? open : text.find_first_of("<>", open + 1);
    if (close == std::string_view::npos) {
      *literal += text.substr(at);
      break;
    }
    if (text[close] == '<') {  // the first of the two is text
      *literal += text.substr(at, close - at);
      at = close;
      continue;
    }
    *literal += text.substr(at, open - at);
    PlaceholderText::Place& place = parsed.places.emplace_back();
    place.name = text.substr(open + 1, close - open - 1);
    literal = &place.literal;
    at = close + 1;
  }
  return parsed;
}

}  // namespace dendro
