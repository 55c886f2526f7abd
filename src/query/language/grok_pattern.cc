#include "query/language/grok_pattern.h"

#include <array>
#include <utility>
#include <vector>

#include "filter/text_pattern.h"
#include "query/language/language_words.h"

namespace dendro {
namespace {

/// The names that are common to the tools that know grok, in RE2's syntax.
constexpr std::array<std::pair<std::string_view, std::string_view>, 34> kGrokPatterns = {{
    {"WORD", R"(\w+)"},
    {"NOTSPACE", R"(\S+)"},
    {"SPACE", R"(\s*)"},
    {"DATA", R"(.*?)"},
    {"GREEDYDATA", R"(.*)"},
    {"INT", R"([+-]?[0-9]+)"},
    {"POSINT", R"([1-9][0-9]*)"},
    {"NONNEGINT", R"([0-9]+)"},
    {"NUMBER", R"([+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))"},
    {"BASE10NUM", R"([+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))"},
    {"BASE16NUM", R"((?:0[xX])?[0-9A-Fa-f]+)"},
    {"IPV4", R"((?:[0-9]{1,3}\.){3}[0-9]{1,3})"},
    {"IPV6", R"((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})"},
    {"IP", R"((?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}))"},
    {"HOSTNAME", R"([0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?)"},
    {"HOST", R"([0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?)"},
    {"IPORHOST", R"((?:(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}|[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?))"},
    {"USER", R"([a-zA-Z0-9._-]+)"},
    {"USERNAME", R"([a-zA-Z0-9._-]+)"},
    {"EMAILADDRESS", R"([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+)"},
    {"UUID", R"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"},
    {"MAC", R"((?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})"},
    {"QS", R"("(?:[^"\\]|\\.)*")"},
    {"QUOTEDSTRING", R"("(?:[^"\\]|\\.)*")"},
    {"PATH", R"((?:/[^\s?#]*)+)"},
    {"URIPATH", R"((?:/[^\s?#]*)+)"},
    {"URIPATHPARAM", R"((?:/[^\s?#]*)+(?:\?\S*)?)"},
    {"URI", R"([A-Za-z][A-Za-z0-9+.-]*://\S+)"},
    {"LOGLEVEL", R"((?i:trace|debug|info|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|alert|emerg(?:ency)?))"},
    {"MONTH", R"((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*)"},
    {"TIME", R"([0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?)"},
    {"TIMESTAMP_ISO8601",
     R"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"},
    {"HTTPDATE", R"([0-9]{2}/[A-Za-z]{3}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})"},
    {"SYSLOGTIMESTAMP", R"([A-Z][a-z]{2} +[0-9]{1,2} [0-9]{2}:[0-9]{2}:[0-9]{2})"},
}};

bool is_group_name(std::string_view name) {
  for (const char c : name) {
    if (!is_word_char(c)) return false;
  }
  return !name.empty();
}

}  // namespace

Result<std::string> expand_grok(std::string_view text) {
  std::string expression;
  std::size_t at = 0;
  for (std::size_t open = text.find("%{"); open != std::string_view::npos; open = text.find("%{", at)) {
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) break;
    expression += text.substr(at, open - at);
    const std::string_view inside = text.substr(open + 2, close - open - 2);
    const std::size_t colon = inside.find(':');
    const std::string_view pattern = inside.substr(0, colon);
    std::string_view meaning;
    std::vector<std::string_view> names;
    for (const auto& [name, part] : kGrokPatterns) {
      names.push_back(name);
      if (name == pattern) meaning = part;
    }
    if (meaning.empty()) {
      const std::string_view near = nearest_name(pattern, names);
      return Error(ErrorCode::invalid_argument,
                   "unknown grok pattern \"" + std::string(pattern) + "\"" +
                       (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
    }
    if (colon == std::string_view::npos) {
      expression += "(?:" + std::string(meaning) + ")";
    } else {
      const std::string_view name = inside.substr(colon + 1);
      if (!is_group_name(name)) {
        return Error(ErrorCode::invalid_argument,
                     "\"" + std::string(name) + "\" cannot name a field here; use letters, digits and _");
      }
      expression += "(?P<" + std::string(name) + ">" + std::string(meaning) + ")";
    }
    at = close + 1;
  }
  expression += text.substr(at);
  return expression;
}

}  // namespace dendro
