#include "services/audit/search_terms.h"

#include <algorithm>

#include "base/utf8.h"
#include "services/audit/compact_json.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

/// What is before a blank or a tab, and what is behind: "a b" -> "a". Blanks are those of Unicode.
std::size_t word_end(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const DecodedUtf8 character = decode_utf8(text.substr(at));
    if (trim_unicode_space(text.substr(at, character.bytes)).empty()) break;
    at += character.bytes;
  }
  return at;
}

std::vector<std::string> cut_terms(std::string_view text) {
  std::vector<std::string> terms;
  for (text = trim_unicode_space(text); !text.empty(); text = trim_unicode_space(text)) {
    const std::size_t closing = text.starts_with('"') ? text.find('"', 1) : std::string_view::npos;
    if (closing == std::string_view::npos) {  // a word; a quote that nothing closes is a character of it
      const std::size_t last = word_end(text);
      terms.emplace_back(text.substr(0, last));
      text.remove_prefix(last);
      continue;
    }
    const std::string_view phrase = trim_unicode_space(text.substr(1, closing - 1));
    if (!phrase.empty()) terms.emplace_back(phrase);
    text.remove_prefix(closing + 1);
  }
  return terms;
}

/// The expression that finds a term as whole words, whatever its case.
std::string expression_of(std::string_view term) {
  // At an end of the term that is no part of a word every neighbour will do; RE2 has no look-around to say so.
  constexpr std::string_view kEdge = R"((?:^|$|[^\pL\pN\pM]))";
  static const std::shared_ptr<const Regex> kWordFirst = Regex::compile(R"(^[\pL\pN\pM])").value();
  static const std::shared_ptr<const Regex> kWordLast = Regex::compile(R"([\pL\pN\pM]$)").value();
  std::string expression = "(?i)";
  if (kWordFirst->matches(term)) expression += kEdge;
  for (const char c : term) {
    const bool is_plain = static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_plain) expression.push_back('\\');
    expression.push_back(c);
  }
  if (kWordLast->matches(term)) expression += kEdge;
  return expression;
}

}  // namespace

std::optional<SearchTerms> SearchTerms::parse(std::string_view text, std::string& problem) {
  SearchTerms terms;
  for (std::string& term : cut_terms(text)) {
    if (terms.terms_.size() == kAuditSearchTermsMax) {
      problem = "at most " + std::to_string(kAuditSearchTermsMax) + " words and phrases";
      return std::nullopt;
    }
    if (term.size() > kAuditSearchTermBytesMax) {
      problem = "a word or phrase has at most " + std::to_string(kAuditSearchTermBytesMax) + " bytes";
      return std::nullopt;
    }
    auto regex = Regex::compile(expression_of(term));
    if (!regex) {
      problem = "not a text that can be searched for";
      return std::nullopt;
    }
    terms.terms_.push_back({std::move(term), std::move(*regex)});
  }
  return terms;
}

bool SearchTerms::Term::occurs_in(const AuditLog& log) const {
  if (regex->matches(log.message) || regex->matches(log.resource_type) || regex->matches(log.resource_id)) return true;
  if (!log.metadata) return false;
  bool found = false;
  for_each_json_scalar(*log.metadata, [&](std::string_view value) {
    found = regex->matches(value);
    return !found;
  });
  return found;
}

bool SearchTerms::match(const AuditLog& log) const {
  return std::ranges::all_of(terms_, [&log](const Term& term) { return term.occurs_in(log); });
}

std::vector<Predicate> SearchTerms::prefilter() const {
  std::vector<Predicate> parts;
  for (const Term& term : terms_) {
    parts.push_back({FieldTest{"", TextPattern{term.text, true, true, true}}});
  }
  return parts;
}

}  // namespace dendro
