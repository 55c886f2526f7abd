// Lucene's query strings and Kibana's KQL (query-language.md 12).
//
//   or      = and { ("OR" | "||") and }           clauses side by side are joined by the default operator
//   and     = unary { ("AND" | "&&") unary }
//   unary   = ["+" | "-" | "!" | "NOT"] clause
//   clause  = [field ":"] ( "(" or ")" | range | phrase | "/" re "/" | term ) ["^" boost]
//
// `+a b -c` among side-by-side clauses: a must stand there, c must not, b only orders by relevance.
#include <algorithm>
#include <utility>

#include "filter/predicate_text.h"
#include "query/language/query_parser.h"
#include "query/translate/translation.h"

namespace dendro {
namespace {

constexpr int kDepthMax = 50;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool ends_term(char c) {
  return is_space(c) || c == '(' || c == ')' || c == '"' || c == ':' || c == '^' || c == '[' || c == ']' || c == '{' ||
         c == '}';
}
/// Characters that RE2 takes for more than themselves.
void append_regex_literal(std::string& out, char c) {
  if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out.push_back('\\');
  out.push_back(c);
}

/// A term as it was written: its wildcards apart from escaped characters.
struct Term {
  std::string text;           ///< without escapes
  std::vector<bool> is_wild;  ///< of each byte: an unescaped * or ?
  std::size_t offset = 0;
  bool has_wildcards() const { return std::find(is_wild.begin(), is_wild.end(), true) != is_wild.end(); }
};

class LuceneTranslator {
 public:
  LuceneTranslator(std::string_view text, LuceneDialect dialect, LuceneOperator between)
      : text_(text), dialect_(dialect), between_(between) {}

  Result<Translation> run() {
    skip_blanks();
    Translation translation;
    if (at_ == text_.size()) {
      translation.query = "*";
      return translation;
    }
    DENDRO_TRY_ASSIGN(translation.query, parse_or(""));
    if (at_ < text_.size()) return fail("\")\" was never opened");
    QueryFault fault;
    const auto parsed = parse_query(translation.query, {}, fault);
    if (!parsed) return Error(ErrorCode::invalid_argument, "the translation is no query: " + fault.detail());
    translation.query = to_text(*parsed);
    translation.warnings = std::move(warnings_);
    return translation;
  }

 private:
  struct Clause {
    std::string text;
    char sign = ' ';  ///< + or -
  };

  Error fail(const std::string& what) const { return fail_at(at_, what); }
  static Error fail_at(std::size_t offset, const std::string& what) {
    return Error(ErrorCode::invalid_argument, "offset " + std::to_string(offset) + ": " + what);
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  bool is_word_at(std::string_view word) const {
    const std::string_view rest = text_.substr(at_);
    if (rest.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char c = rest[i];
      const bool is_same = c == word[i] || (dialect_ == LuceneDialect::kql && c == static_cast<char>(word[i] + 32));
      if (!is_same) return false;
    }
    return rest.size() == word.size() || ends_term(rest[word.size()]);
  }
  bool take_operator(std::string_view word, std::string_view sign) {
    skip_blanks();
    if (is_word_at(word)) {
      at_ += word.size();
    } else if (sign.empty() || dialect_ == LuceneDialect::kql || !take(sign)) {
      return false;
    }
    skip_blanks();
    return true;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size() || text_[at_] == ')';
  }

  Result<std::string> parse_or(const std::string& field) {
    if (++depth_ > kDepthMax) return fail("more than 50 brackets inside each other");
    std::vector<std::string> alternatives;
    do {
      DENDRO_TRY_ASSIGN(std::string side, parse_side_by_side(field));
      alternatives.push_back(std::move(side));
    } while (take_operator("OR", "||"));
    --depth_;
    return joined(alternatives, " or ");
  }

  /// Conjunctions that nothing stands between.
  Result<std::string> parse_side_by_side(const std::string& field) {
    std::vector<Clause> clauses;
    do {
      DENDRO_TRY_ASSIGN(Clause clause, parse_and(field));
      clauses.push_back(std::move(clause));
    } while (!at_end() && !is_word_at("OR") && !text_.substr(at_).starts_with("||"));
    if (clauses.size() == 1) return signed_text(clauses.front());
    return combined(clauses);
  }

  static std::string signed_text(const Clause& clause) {
    return clause.sign == '-' ? "not (" + clause.text + ")" : clause.text;
  }

  std::string combined(const std::vector<Clause>& clauses) {
    std::vector<std::string> needed, possible;
    const bool has_required =
        std::any_of(clauses.begin(), clauses.end(), [](const Clause& c) { return c.sign == '+'; });
    for (const Clause& clause : clauses) {
      if (clause.sign != ' ' || between_ == LuceneOperator::all) {
        needed.push_back(signed_text(clause));
      } else {
        possible.push_back(clause.text);
      }
    }
    if (has_required && !possible.empty()) {
      warnings_.push_back("beside clauses with +, those without a sign only order by relevance: " +
                          joined(possible, ", ") + " was left out");
      possible.clear();
    }
    if (!possible.empty()) needed.insert(needed.begin(), joined(possible, " or "));
    return joined(needed, " and ");
  }

  static std::string joined(const std::vector<std::string>& parts, std::string_view by) {
    if (parts.size() == 1) return parts.front();
    std::string all;
    for (const std::string& part : parts) {
      if (!all.empty()) all += by;
      all += by == ", " ? part : "(" + part + ")";
    }
    return all;
  }

  Result<Clause> parse_and(const std::string& field) {
    std::vector<Clause> clauses;
    do {
      DENDRO_TRY_ASSIGN(Clause clause, parse_unary(field));
      clauses.push_back(std::move(clause));
    } while (take_operator("AND", "&&"));
    if (clauses.size() == 1) return clauses.front();
    std::vector<std::string> parts;
    for (const Clause& clause : clauses) parts.push_back(signed_text(clause));
    return Clause{joined(parts, " and "), ' '};
  }

  Result<Clause> parse_unary(const std::string& field) {
    Clause clause;
    bool is_negated = false;
    skip_blanks();
    for (;;) {
      if (take_operator("NOT", "!")) {
        is_negated = !is_negated;
      } else if (dialect_ == LuceneDialect::query_string && take("-")) {
        is_negated = !is_negated;
      } else if (dialect_ == LuceneDialect::query_string && take("+")) {
        clause.sign = '+';
      } else {
        break;
      }
    }
    if (at_end()) return fail("something must stand here");
    DENDRO_TRY_ASSIGN(clause.text, parse_clause(field));
    if (is_negated) clause.sign = '-';
    return clause;
  }

  Result<std::string> parse_clause(const std::string& outer_field) {
    std::string field = outer_field;
    if (text_[at_] != '(' && text_[at_] != '"' && text_[at_] != '/' && text_[at_] != '[' && text_[at_] != '{') {
      const std::size_t before = at_;
      DENDRO_TRY_ASSIGN(const Term name, take_term());
      if (dialect_ == LuceneDialect::kql) skip_blanks();
      const bool names_field = take(":");
      const std::string op = names_field ? std::string() : take_comparison();
      if (names_field || !op.empty()) {
        if (name.has_wildcards() && name.text != "*") return fail_at(before, "a field's name with a wildcard");
        field = name.text;
        skip_blanks();
        if (at_end()) return fail("a value must stand here");
        if (!op.empty()) return parse_comparison(field, op);
      } else {
        DENDRO_TRY_ASSIGN(std::string text, term_text(field, name));
        DENDRO_TRY(take_boost());
        return text;
      }
    }
    DENDRO_TRY_ASSIGN(std::string text, parse_value(field));
    DENDRO_TRY(take_boost());
    return text;
  }

  /// `f >= 5` of KQL.
  std::string take_comparison() {
    if (dialect_ != LuceneDialect::kql) return {};
    for (const char* op : {">=", "<=", ">", "<"}) {
      if (take(op)) return op;
    }
    return {};
  }
  Result<std::string> parse_comparison(const std::string& field, const std::string& op) {
    std::string value;
    if (text_[at_] == '"') {
      DENDRO_TRY_ASSIGN(value, take_phrase());
    } else {
      DENDRO_TRY_ASSIGN(const Term term, take_term());
      value = term.text;
    }
    return field_prefix(field) + op + literal_text(value);
  }

  Result<std::string> parse_value(const std::string& field) {
    if (take("(")) {
      DENDRO_TRY_ASSIGN(std::string inner, parse_or(field));
      skip_blanks();
      if (!take(")")) return fail("a \")\" is missing");
      return "(" + inner + ")";
    }
    if (text_[at_] == '[' || text_[at_] == '{') return parse_range(field);
    if (dialect_ == LuceneDialect::query_string && text_[at_] == '>') return parse_one_sided(field);
    if (dialect_ == LuceneDialect::query_string && text_[at_] == '<') return parse_one_sided(field);
    if (text_[at_] == '"') {
      DENDRO_TRY_ASSIGN(const std::string phrase, take_phrase());
      if (take("~"))
        return fail("words of a phrase that may stand apart (~) have no equivalent; near(a, b, 5) finds two");
      return phrase_text(field, phrase);
    }
    if (text_[at_] == '/' && dialect_ == LuceneDialect::query_string) return parse_regex(field);
    DENDRO_TRY_ASSIGN(const Term term, take_term());
    DENDRO_TRY_ASSIGN(std::string text, term_text(field, term));
    if (dialect_ != LuceneDialect::kql || field.empty()) return text;
    return with_more_words(field, std::move(text));
  }

  /// KQL: `f: one two` is either of them in f.
  Result<std::string> with_more_words(const std::string& field, std::string first) {
    std::vector<std::string> words = {std::move(first)};
    for (;;) {
      const std::size_t before = at_;
      if (at_end() || ends_term(text_[at_]) || is_word_at("AND") || is_word_at("OR") || is_word_at("NOT")) break;
      DENDRO_TRY_ASSIGN(const Term word, take_term());
      skip_blanks();
      const bool names_field = at_ < text_.size() && (text_[at_] == ':' || text_[at_] == '<' || text_[at_] == '>');
      if (names_field) {
        at_ = before;
        break;
      }
      DENDRO_TRY_ASSIGN(std::string text, term_text(field, word));
      words.push_back(std::move(text));
    }
    return words.size() == 1 ? words.front() : "(" + joined(words, " or ") + ")";
  }

  Result<std::string> parse_one_sided(const std::string& field) {
    std::string op(1, text_[at_++]);
    if (take("=")) op += "=";
    DENDRO_TRY_ASSIGN(const Term term, take_term());
    return field_prefix(field) + op + literal_text(term.text);
  }

  Result<std::string> parse_range(const std::string& field) {
    const bool includes_first = text_[at_++] == '[';
    DENDRO_TRY_ASSIGN(const std::string first, take_bound());
    skip_blanks();
    if (!is_word_at("TO")) return fail("expected TO in a range");
    at_ += 2;
    DENDRO_TRY_ASSIGN(const std::string last, take_bound());
    skip_blanks();
    if (at_ == text_.size() || (text_[at_] != ']' && text_[at_] != '}')) return fail("a range is not closed");
    const bool includes_last = text_[at_++] == ']';
    if (field.empty()) return fail("a range needs a field in front");
    std::vector<std::string> sides;
    if (first != "*") sides.push_back(field_prefix(field) + (includes_first ? ">=" : ">") + literal_text(first));
    if (last != "*") sides.push_back(field_prefix(field) + (includes_last ? "<=" : "<") + literal_text(last));
    if (sides.empty()) return field_prefix(field) + "*";
    return sides.size() == 1 ? sides[0] : "(" + sides[0] + " " + sides[1] + ")";
  }
  Result<std::string> take_bound() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') return take_phrase();
    std::string bound;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ']' && text_[at_] != '}') {
      bound.push_back(text_[at_++]);
    }
    if (bound.empty()) return fail("a bound of the range is missing");
    return bound;
  }

  Result<std::string> parse_regex(const std::string& field) {
    const std::size_t before = at_++;
    std::string pattern;
    while (at_ < text_.size() && text_[at_] != '/') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '/') ++at_;
      pattern.push_back(text_[at_++]);
    }
    if (at_ == text_.size()) return fail_at(before, "this \"/\" is never closed");
    ++at_;
    return regex_text(field, "\\b(?:" + pattern + ")\\b");
  }

  Status take_boost() {
    if (take("~")) return fail("fuzzy search (~) has no equivalent");
    if (!take("^")) return {};
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ')') ++at_;
    if (!has_told_boost_) warnings_.emplace_back("boosts (^) only order by relevance: left out");
    has_told_boost_ = true;
    return {};
  }

  Result<std::string> take_phrase() {
    const std::size_t before = at_++;
    std::string phrase;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      phrase.push_back(text_[at_++]);
    }
    if (at_ == text_.size()) return fail_at(before, "this quote is never closed");
    ++at_;
    return phrase;
  }

  Result<Term> take_term() {
    Term term;
    term.offset = at_;
    while (at_ < text_.size() && !ends_term(text_[at_])) {
      char c = text_[at_];
      if (dialect_ == LuceneDialect::query_string && c == '~') break;
      if (dialect_ == LuceneDialect::kql && (c == '<' || c == '>')) break;
      bool is_wild = c == '*' || c == '?';
      if (c == '\\' && at_ + 1 < text_.size()) {
        c = text_[++at_];
        is_wild = false;
      }
      if (dialect_ == LuceneDialect::kql && c == '?') is_wild = false;
      term.text.push_back(c);
      term.is_wild.push_back(is_wild);
      ++at_;
    }
    if (term.text.empty()) return fail("a word must stand here");
    return term;
  }

  // ---- our side ----

  static std::string own_name(const std::string& field) {
    if (field == "@timestamp") return "_time";
    if (field == "message") return "body";
    constexpr std::string_view kExact = ".keyword";
    if (field.ends_with(kExact)) return field.substr(0, field.size() - kExact.size());
    return field;
  }
  static bool is_exact(const std::string& field) { return field.ends_with(".keyword"); }
  static std::string field_prefix(const std::string& field) {
    if (field.empty() || field == "*") return {};
    std::string prefix;
    append_query_name(prefix, own_name(field));
    return prefix + ":";
  }
  static std::string literal_text(const std::string& value) {
    std::string text;
    if (is_bare_word(value)) return value;
    append_query_string(text, value);
    return text;
  }
  static std::string quoted(const std::string& value) {
    std::string text;
    append_query_string(text, value);
    return text;
  }
  static std::string regex_text(const std::string& field, const std::string& pattern) {
    return field_prefix(field) + "~" + quoted("(?i)" + pattern);
  }

  static std::string phrase_text(const std::string& field, const std::string& phrase) {
    if (phrase.empty()) return field_prefix(field) + "\"\"";
    if (is_exact(field)) return field_prefix(field) + "=" + quoted(phrase);
    return field_prefix(field) + "i(" + quoted(phrase) + ")";
  }

  Result<std::string> term_text(const std::string& field, const Term& term) const {
    if (field == "_exists_") {
      std::string text;
      append_query_name(text, own_name(term.text));
      return text + ":*";
    }
    if (term.text == "*" && term.is_wild[0]) return field.empty() || field == "*" ? "*" : field_prefix(field) + "*";
    if (!term.has_wildcards()) {
      if (field == "@timestamp" || field == "_time") return field_prefix(field) + term.text;
      return phrase_text(field, term.text);
    }
    const bool is_prefix = term.text.size() > 1 && term.text.back() == '*' && term.is_wild.back() &&
                           std::count(term.is_wild.begin(), term.is_wild.end(), true) == 1;
    if (is_prefix && is_exact(field)) {
      return field_prefix(field) + "=" + quoted(term.text.substr(0, term.text.size() - 1)) + "*";
    }
    if (is_prefix) return field_prefix(field) + "i(" + quoted(term.text.substr(0, term.text.size() - 1)) + "*)";
    std::string pattern;
    for (std::size_t i = 0; i < term.text.size(); ++i) {
      if (!term.is_wild[i]) {
        append_regex_literal(pattern, term.text[i]);
      } else {
        pattern += term.text[i] == '*' ? "\\S*" : "\\S";
      }
    }
    const std::string first = term.is_wild.front() ? "" : "\\b", last = term.is_wild.back() ? "" : "\\b";
    if (is_exact(field)) return field_prefix(field) + "~" + quoted("^" + pattern + "$");
    return regex_text(field, first + pattern + last);
  }

  const std::string_view text_;
  const LuceneDialect dialect_;
  const LuceneOperator between_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool has_told_boost_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<Translation> translate_lucene(std::string_view text, LuceneDialect dialect, LuceneOperator between) {
  return LuceneTranslator(text, dialect, between).run();
}

}  // namespace dendro
