#include "services/search/pattern_text.h"

#include <algorithm>

#include "base/timestamp.h"
#include "codec/canonical_leaf.h"
#include "filter/literal.h"
#include "filter/number.h"

namespace dendro {
namespace {

bool is_pattern_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}
std::string_view skip_pattern_blanks(std::string_view text) {
  while (!text.empty() && is_pattern_blank(text.front())) text.remove_prefix(1);
  return text;
}
std::string_view drop_pattern_blanks(std::string_view text) {
  text = skip_pattern_blanks(text);
  while (!text.empty() && is_pattern_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// How many bytes of `text` the constant takes, blanks of either side aside; nothing if it does not begin with it.
std::optional<std::size_t> constant_size(std::string_view constant, std::string_view text) {
  std::size_t at = 0;
  for (const char c : constant) {
    if (is_pattern_blank(c)) continue;
    while (at < text.size() && is_pattern_blank(text[at])) ++at;
    if (at >= text.size() || text[at] != c) return std::nullopt;
    ++at;
  }
  return at;
}

struct Found {
  std::size_t offset = 0, size = 0;
};
/// The first place of the constant behind `from`.
std::optional<Found> find_constant(std::string_view constant, std::string_view text, std::size_t from) {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (is_pattern_blank(text[at])) continue;
    if (const auto size = constant_size(constant, text.substr(at))) return Found{at, *size};
  }
  return std::nullopt;
}

/// Cuts `text` into `count` values at blanks; the last takes the rest. False: too few.
bool share(std::string_view text, std::size_t count, std::vector<std::string_view>& values) {
  text = drop_pattern_blanks(text);
  for (; count > 1; --count) {
    const auto end = std::find_if(text.begin(), text.end(), is_pattern_blank);
    const std::string_view value = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    if (value.empty()) return false;
    values.push_back(value);
    text = skip_pattern_blanks(text.substr(value.size()));
  }
  values.push_back(text);
  return !text.empty();
}

bool is_all_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}
bool is_uuid_text(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_all_hex(text.substr(i, 1))) return false;
  }
  return true;
}

}  // namespace

std::vector<PatternPart> split_pattern(std::string_view shown) {
  std::vector<PatternPart> parts;
  std::size_t slots = 0;
  while (!shown.empty()) {
    const std::size_t at = std::min(shown.find(kLeafVariable), shown.size());
    if (at > 0) parts.push_back({std::string(shown.substr(0, at)), std::nullopt});
    shown.remove_prefix(at);
    if (shown.empty()) break;
    parts.push_back({{}, slots++});
    shown.remove_prefix(kLeafVariable.size());
  }
  return parts;
}

std::optional<std::vector<std::string_view>> align_pattern(const std::vector<PatternPart>& parts,
                                                           std::string_view body) {
  std::vector<std::string_view> values;
  std::size_t at = 0, waiting = 0;  // slots since the constant before
  for (const PatternPart& part : parts) {
    if (part.slot) {
      ++waiting;
      continue;
    }
    if (drop_pattern_blanks(part.text).empty()) continue;
    const bool is_first = at == 0 && waiting == 0;
    const std::size_t from = is_first ? body.size() - skip_pattern_blanks(body).size() : at + (waiting > 0 ? 1 : 0);
    const auto found = find_constant(part.text, body, from);
    if (!found || (is_first && found->offset != from)) return std::nullopt;
    if (waiting > 0 && !share(body.substr(at, found->offset - at), waiting, values)) return std::nullopt;
    waiting = 0;
    at = found->offset + found->size;
  }
  if (waiting == 0) return drop_pattern_blanks(body.substr(at)).empty() ? std::optional(values) : std::nullopt;
  if (!share(body.substr(at), waiting, values)) return std::nullopt;
  return values;
}

std::string_view slot_type(std::string_view value) {
  if (parse_number(value)) return "number";
  if (parse_rfc3339(value)) return "time";
  if (parse_ip(value)) return "ip";
  if (is_uuid_text(value)) return "uuid";
  if (value.size() >= 8 && is_all_hex(value)) return "hex";
  const bool is_word = !value.empty() && std::none_of(value.begin(), value.end(), is_pattern_blank);
  return is_word ? "word" : "any";
}

}  // namespace dendro
