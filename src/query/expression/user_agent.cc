#include "query/expression/user_agent.h"

#include <array>

#include "filter/text_pattern.h"

namespace dendro {
namespace {

struct ProductRule {
  std::string_view mark;  ///< its version stands behind it
  std::string_view name;
};
// Browsers name those they want to be taken for; so the rarer name decides.
constexpr std::array<ProductRule, 16> kBrowsers = {{
    {"Edg/", "Edge"},
    {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"OPR/", "Opera"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"YaBrowser/", "Yandex"},
    {"Vivaldi/", "Vivaldi"},
    {"Firefox/", "Firefox"},
    {"FxiOS/", "Firefox"},
    {"HeadlessChrome/", "Chrome"},
    {"CriOS/", "Chrome"},
    {"Chrome/", "Chrome"},
    {"Chromium/", "Chromium"},
    {"Version/", "Safari"},
    {"MSIE ", "Internet Explorer"},
    {"Trident/", "Internet Explorer"},
}};
constexpr std::array<ProductRule, 8> kSystems = {{
    {"Windows", "Windows"},
    {"Android", "Android"},
    {"iPhone", "iOS"},
    {"iPad", "iOS"},
    {"CrOS", "ChromeOS"},
    {"Mac OS X", "macOS"},
    {"Macintosh", "macOS"},
    {"Linux", "Linux"},
}};
constexpr std::array<std::string_view, 8> kBots = {"bot",    "Bot",    "crawler", "Crawler",
                                                   "spider", "Spider", "Slurp",   "facebookexternalhit"};

bool holds(std::string_view text, std::string_view part) {
  return find_literal(text, part) != std::string_view::npos;
}

std::string_view version_at(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_not_of("0123456789.", at);
  return text.substr(at, (end == std::string_view::npos ? text.size() : end) - at);
}

/// `name/1.2` at the front: a program, or a crawler that gives its name first.
void read_first_product(std::string_view text, UserAgent& agent) {
  const std::size_t slash = text.find('/');
  const std::size_t blank = text.find(' ');
  if (slash == std::string_view::npos || slash == 0 || blank < slash) return;
  agent.browser = text.substr(0, slash);
  agent.version = version_at(text, slash + 1);
}

std::string_view device_of(std::string_view text, const UserAgent& agent) {
  for (const std::string_view mark : kBots) {
    if (holds(text, mark)) return "bot";
  }
  const bool is_tablet =
      holds(text, "iPad") || holds(text, "Tablet") || (agent.os == "Android" && !holds(text, "Mobile"));
  if (is_tablet) return "tablet";
  if (holds(text, "Mobile") || holds(text, "iPhone")) return "mobile";
  return agent.os.empty() ? std::string_view() : "desktop";
}

}  // namespace

UserAgent parse_user_agent(std::string_view text) {
  UserAgent agent;
  for (const ProductRule& rule : kSystems) {
    if (agent.os.empty() && holds(text, rule.mark)) agent.os = rule.name;
  }
  for (const ProductRule& rule : kBrowsers) {
    const std::size_t at = agent.browser.empty() ? find_literal(text, rule.mark) : std::string_view::npos;
    if (at == std::string_view::npos) continue;
    agent.browser = rule.name;
    agent.version = version_at(text, at + rule.mark.size());
  }
  if (agent.browser.empty() && !text.starts_with("Mozilla/")) read_first_product(text, agent);
  agent.device = device_of(text, agent);
  return agent;
}

}  // namespace dendro
