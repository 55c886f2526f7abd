#include "query/language/regex_replacement.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "filter/text_pattern.h"

namespace dendro {
namespace {

bool is_decimal_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The name or number behind a `$` at the front of `text`, and how many bytes it takes.
std::pair<std::string_view, std::size_t> group_reference(std::string_view text) {
  if (text.starts_with('{')) {
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) return {{}, 0};
    return {text.substr(1, close - 1), close + 1};
  }
  std::size_t size = 0;
  const bool is_number = !text.empty() && is_decimal_digit(text[0]);
  while (size < text.size() && (is_number ? is_decimal_digit(text[size]) : is_word_char(text[size]))) ++size;
  return {text.substr(0, size), size};
}

}  // namespace

Result<RegexReplacement> RegexReplacement::make(std::shared_ptr<const Regex> regex, std::string_view replacement) {
  RegexReplacement made;
  const std::vector<std::string>& names = regex->group_names();
  Part part;
  for (std::size_t at = 0; at < replacement.size(); ++at) {
    if (replacement[at] != '$') {
      part.literal.push_back(replacement[at]);
      continue;
    }
    const std::string_view rest = replacement.substr(at + 1);
    if (rest.starts_with('$')) {
      part.literal.push_back('$');
      ++at;
      continue;
    }
    const auto [reference, size] = group_reference(rest);
    if (reference.empty()) return Error(ErrorCode::invalid_argument, "a lone \"$\"; as text it is written \"$$\"");
    const auto read = std::from_chars(reference.data(), reference.data() + reference.size(), part.group);
    bool is_known =
        read.ec == std::errc() && read.ptr == reference.data() + reference.size() && part.group <= names.size();
    if (const auto name = std::find(names.begin(), names.end(), reference); !is_known && name != names.end()) {
      part.group = static_cast<std::size_t>(name - names.begin()) + 1;
      is_known = true;
    }
    if (!is_known) {
      return Error(ErrorCode::invalid_argument,
                   "the expression has no group \"" + std::string(reference) + "\"; in front of a letter write ${1}");
    }
    part.has_group = true;
    made.parts_.push_back(std::move(part));
    part = Part();
    at += size;
  }
  made.parts_.push_back(std::move(part));
  made.regex_ = std::move(regex);
  return made;
}

bool RegexReplacement::append(std::string& out, std::string_view value) const {
  std::vector<std::string_view> groups;
  std::size_t at = 0;  // what is copied so far
  std::size_t first = 0;
  bool found = false;
  while (first <= value.size() && regex_->capture(value, first, groups)) {
    found = true;
    const auto begin = static_cast<std::size_t>(groups[0].data() - value.data());
    out += value.substr(at, begin - at);
    for (const Part& part : parts_) {
      out += part.literal;
      if (part.has_group) out += groups[part.group];
    }
    at = begin + groups[0].size();
    first = at;
    if (!groups[0].empty()) continue;
    // An empty match: the character behind it stays, and the search goes on there.
    if (at >= value.size()) break;
    const std::size_t bytes = decode_utf8(value.substr(at)).bytes;
    out += value.substr(at, bytes);
    at += bytes;
    first = at;
  }
  out += value.substr(std::min(at, value.size()));
  return found;
}

}  // namespace dendro
