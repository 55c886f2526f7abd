// LogQL's log queries (query-language.md 12).
#include <utility>

#include "filter/predicate_text.h"
#include "query/language/query_parser.h"
#include "query/translate/translation.h"

namespace dendro {
namespace {

bool is_label_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

class LogqlTranslator {
 public:
  explicit LogqlTranslator(std::string_view text) : text_(text) {}

  Result<Translation> run() {
    skip_blanks();
    if (!peek('{')) return fail(metric_text());
    DENDRO_TRY_ASSIGN(std::string query, take_selector());
    while (!at_end()) {
      DENDRO_TRY_ASSIGN(const std::string stage, take_stage());
      query += stage;
    }
    if (query.empty() || query.starts_with(" |")) query.insert(0, "*");  // an empty selector is every record
    QueryFault fault;
    const auto parsed = parse_query(query, {}, fault);
    if (!parsed) return Error(ErrorCode::invalid_argument, "the translation is no query: " + fault.detail());
    Translation translation;
    translation.query = to_text(*parsed);
    translation.warnings = std::move(warnings_);
    return translation;
  }

 private:
  Error fail(const std::string& what) const {
    return Error(ErrorCode::invalid_argument, "offset " + std::to_string(at_) + ": " + what);
  }
  static std::string metric_text() {
    return "a log query begins with a selector such as {app=\"x\"}; metric queries (rate, count_over_time, sum by) "
           "have "
           "no translation yet: use `stats by (_time:5m, f) count()`";
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(std::string_view what) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(word) || (rest.size() > word.size() && is_label_char(rest[word.size()]))) return false;
    at_ += word.size();
    return true;
  }
  static std::string quoted(const std::string& text) {
    std::string out;
    append_query_string(out, text);
    return out;
  }

  /// "..", with the escapes of Go, or `..` without.
  Result<std::string> take_string() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    if (quote != '"' && quote != '`') return fail("a text in quotes must stand here");
    const std::size_t before = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\' && quote == '"' && at_ < text_.size()) {
        c = text_[at_++];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      value.push_back(c);
    }
    if (at_ == text_.size()) {
      at_ = before;
      return fail("this quote is never closed");
    }
    ++at_;
    return value;
  }
  Result<std::string> take_label() {
    skip_blanks();
    const std::size_t first = at_;
    while (at_ < text_.size() && is_label_char(text_[at_])) ++at_;
    if (at_ == first) return fail("the name of a label must stand here");
    return std::string(text_.substr(first, at_ - first));
  }

  Result<std::string> take_selector() {
    ++at_;
    std::string selector = "{";
    while (!take("}")) {
      if (selector.size() > 1) {
        if (!take(",")) return fail("expected \",\" or \"}\"");
        if (take("}")) break;
        selector += ",";
      }
      DENDRO_TRY_ASSIGN(const std::string name, take_label());
      append_query_name(selector, name);
      skip_blanks();
      std::string op;
      for (const char* known : {"=~", "!~", "!=", "="}) {
        if (take(known)) {
          op = known;
          break;
        }
      }
      if (op.empty()) return fail("expected one of = != =~ !~");
      DENDRO_TRY_ASSIGN(const std::string value, take_string());
      selector += op + quoted(value);
    }
    return selector == "{" ? std::string() : selector + "}";
  }

  Result<std::string> take_stage() {
    struct LineFilter {
      std::string_view op;
      std::string_view kind;
      bool is_negated;
    };
    static constexpr LineFilter kLineFilters[] = {{"|=", "text", false},    {"!=", "text", true},
                                                  {"|~", "regex", false},   {"!~", "regex", true},
                                                  {"|>", "pattern", false}, {"!>", "pattern", true}};
    for (const LineFilter& filter : kLineFilters) {
      if (take(filter.op)) return take_line_filter(filter.kind, filter.is_negated);
    }
    if (!take("|")) return fail("expected \"|\" or a line filter");
    if (take_word("json")) return unpack("json");
    if (take_word("logfmt")) return unpack("logfmt");
    if (take_word("decolorize")) return std::string(" | decolorize");
    if (take_word("pattern")) return take_extraction("extract");
    if (take_word("regexp")) return take_extraction("extract_regexp");
    if (take_word("drop")) return take_drop();
    for (const char* word : {"line_format", "label_format", "unwrap", "keep", "unpack", "distinct"}) {
      if (take_word(word)) return fail("\"" + std::string(word) + "\" has no translation");
    }
    DENDRO_TRY_ASSIGN(const std::string condition, take_label_or());
    return " | where " + condition;
  }

  Result<std::string> take_line_filter(std::string_view kind, bool is_negated) {
    std::vector<std::string> alternatives;
    do {
      if (kind == "text" && take_word("ip")) {
        if (!take("(")) return fail("expected \"(\"");
        DENDRO_TRY_ASSIGN(const std::string network, take_string());
        if (!take(")")) return fail("expected \")\"");
        alternatives.push_back("body:ip(" + quoted(network) + ")");
        continue;
      }
      DENDRO_TRY_ASSIGN(const std::string value, take_string());
      if (value.empty()) {
        alternatives.emplace_back("*");
      } else if (kind == "text") {
        alternatives.push_back("body:*" + quoted(value) + "*");
      } else if (kind == "regex") {
        alternatives.push_back("body:~" + quoted(value));
      } else {
        alternatives.push_back("body:~" + quoted(regex_of_pattern(value)));
      }
    } while (take_word("or"));
    std::string condition = alternatives.front();
    for (std::size_t i = 1; i < alternatives.size(); ++i) condition += " or " + alternatives[i];
    condition = (is_negated ? "not (" : "(") + condition + ")";
    return (has_piped_ ? " | where " : " ") + condition;
  }

  /// `<_>` is anything.
  static std::string regex_of_pattern(const std::string& pattern) {
    std::string regex;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern.compare(i, 3, "<_>") == 0) {
        regex += ".*";
        i += 2;
        continue;
      }
      if (std::string_view("\\.+*?()|[]{}^$").find(pattern[i]) != std::string_view::npos) regex.push_back('\\');
      regex.push_back(pattern[i]);
    }
    return regex;
  }

  Result<std::string> unpack(const std::string& format) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] != '|' && text_[at_] != '!') {
      return fail("labels behind " + format + " have no translation");
    }
    if (!has_piped_) {
      warnings_.push_back("members of members are named with dots here: a label a_b is the field a.b");
    }
    has_piped_ = true;
    return " | unpack " + format;
  }
  Result<std::string> take_extraction(const std::string& pipe) {
    DENDRO_TRY_ASSIGN(const std::string pattern, take_string());
    has_piped_ = true;
    return " | " + pipe + " " + quoted(pattern);
  }
  Result<std::string> take_drop() {
    std::string names;
    do {
      DENDRO_TRY_ASSIGN(const std::string name, take_label());
      if (!names.empty()) names += ", ";
      append_query_name(names, name);
    } while (take(","));
    has_piped_ = true;
    return " | drop " + names;
  }

  // ---- label filters: or = and { "or" and }; and = one { ("and" | ",") one } ----

  Result<std::string> take_label_or() {
    if (++depth_ > kDepthMax) return fail("more than 50 brackets inside each other");
    DENDRO_TRY_ASSIGN(std::string all, take_label_and());
    while (take_word("or")) {
      DENDRO_TRY_ASSIGN(const std::string other, take_label_and());
      all += " or " + other;
    }
    --depth_;
    return all;
  }
  Result<std::string> take_label_and() {
    DENDRO_TRY_ASSIGN(std::string all, take_label_filter());
    while (take_word("and") || take(",")) {
      DENDRO_TRY_ASSIGN(const std::string other, take_label_filter());
      all += " and " + other;
    }
    return all;
  }
  Result<std::string> take_label_filter() {
    has_piped_ = true;
    if (take("(")) {
      DENDRO_TRY_ASSIGN(const std::string inner, take_label_or());
      if (!take(")")) return fail("a \")\" is missing");
      return "(" + inner + ")";
    }
    DENDRO_TRY_ASSIGN(const std::string name, take_label());
    std::string field;
    append_query_name(field, name);
    field += ":";
    for (const char* op : {"=~", "!~", "==", "!=", ">=", "<=", "=", ">", "<"}) {
      if (take(op)) return take_comparison(field, op);
    }
    return fail("expected a comparison behind \"" + name + "\"");
  }
  Result<std::string> take_comparison(const std::string& field, const std::string& op) {
    skip_blanks();
    if (peek('"') || peek('`')) {
      DENDRO_TRY_ASSIGN(const std::string value, take_string());
      if (op == "=~") return field + "~" + quoted("^(?:" + value + ")$");
      if (op == "!~") return "not " + field + "~" + quoted("^(?:" + value + ")$");
      if (op == "=") return field + (value.empty() ? "\"\"" : "=" + quoted(value));
      if (op == "!=") return "not " + field + (value.empty() ? "\"\"" : "=" + quoted(value));
      return fail("a text is compared by = != =~ !~");
    }
    const std::size_t first = at_;
    while (at_ < text_.size() && (is_label_char(text_[at_]) || text_[at_] == '-' || text_[at_] == '+')) ++at_;
    const std::string number(text_.substr(first, at_ - first));
    if (number.empty() || op == "=~" || op == "!~") return fail("a value must stand here");
    if (op == "==" || op == "=") return field + "=" + number;
    if (op == "!=") return "not " + field + "=" + number;
    return field + op + number;
  }

  static constexpr int kDepthMax = 50;
  const std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool has_piped_ = false;  ///< line filters are pipes from now on
  std::vector<std::string> warnings_;
};

}  // namespace

Result<Translation> translate_logql(std::string_view text) {
  return LogqlTranslator(text).run();
}

}  // namespace dendro
