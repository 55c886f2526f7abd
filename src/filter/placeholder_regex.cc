#include "filter/placeholder_regex.h"

#include <array>
#include <utility>

namespace dendro {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kPlaceholders = {{
    {"n", R"([-+]?[0-9]+(?:\.[0-9]+)?)"},
    {"w", R"([A-Za-z0-9_]+)"},
    {"ip", R"((?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}))"},
    {"uuid", R"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"},
    {"hex", R"((?:0[xX])?[0-9A-Fa-f]+)"},
    {"time",
     R"((?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:?[0-9]{2})?)"},
    {"*", R"((?s:.*?))"},
}};

void append_literal(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
}

}  // namespace

Result<std::shared_ptr<const Regex>> compile_placeholders(std::string_view text) {
  std::string expression;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find('<', at);
    const std::size_t close = open == std::string_view::npos ? open : text.find_first_of("<>", open + 1);
    if (close == std::string_view::npos) {
      append_literal(expression, text.substr(at));
      break;
    }
    if (text[close] == '<') {  // the first of the two is text
      append_literal(expression, text.substr(at, close - at));
      at = close;
      continue;
    }
    append_literal(expression, text.substr(at, open - at));
    const std::string_view name = text.substr(open + 1, close - open - 1);
    std::string_view meaning;
    for (const auto& [known, part] : kPlaceholders) {
      if (known == name) meaning = part;
    }
    if (meaning.empty()) {
      return Error(ErrorCode::invalid_argument,
                   "unknown place \"<" + std::string(name) + ">\"; known are <n> <w> <ip> <uuid> <hex> <time> <*>");
    }
    expression += meaning;
    at = close + 1;
  }
  return Regex::compile(expression);
}

}  // namespace dendro
