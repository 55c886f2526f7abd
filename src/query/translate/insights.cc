// CloudWatch Logs Insights (query-language.md 12): commands with "|" between them, "#" begins a comment.
//
//   fields, display   which columns the answer has: they come last here, for ours take away what later pipes may read
//   filter            or = and { "or" and }; and = not { "and" not }; not = "not" not | "(" or ")" | test
//   stats, sort, limit, dedup, parse
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "filter/predicate_text.h"
#include "filter/time_literal.h"
#include "query/language/query_parser.h"
#include "query/translate/insights_text.h"
#include "query/translate/translation.h"

namespace dendro {
namespace {

constexpr int kInsightsDepthMax = 50;

constexpr std::array<FunctionName, 14> kScalars = {{{"strlen", "len"},
                                                    {"toupper", "upper"},
                                                    {"tolower", "lower"},
                                                    {"trim", "trim"},
                                                    {"concat", "concat"},
                                                    {"replace", "replace"},
                                                    {"substr", "substr"},
                                                    {"coalesce", "coalesce"},
                                                    {"abs", "abs"},
                                                    {"ceil", "ceil"},
                                                    {"floor", "floor"},
                                                    {"greatest", "max"},
                                                    {"least", "min"},
                                                    {"log", "ln"}}};
constexpr std::array<FunctionName, 9> kAggregates = {{{"count_distinct", "count_uniq"},
                                                      {"avg", "avg"},
                                                      {"sum", "sum"},
                                                      {"min", "min"},
                                                      {"max", "max"},
                                                      {"stddev", "stddev"},
                                                      {"median", "median"},
                                                      {"earliest", "first"},
                                                      {"latest", "last"}}};
class InsightsTranslator : InsightsText {
 public:
  explicit InsightsTranslator(std::string_view text) : InsightsText(text) {}

  Result<Translation> run() {
    do {
      DENDRO_TRY(take_command());
    } while (take("|"));
    if (!at_end()) return fail("expected \"|\" between commands");
    if (!shown_.empty()) pipe("fields " + joined(shown_));
    QueryFault fault;
    const auto parsed = parse_query(query_, {}, fault);
    if (!parsed) return Error(ErrorCode::invalid_argument, "the translation is no query: " + fault.detail());
    return Translation{to_text(*parsed), std::move(warnings_)};
  }

 private:
  static std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + query_name(name);
    return text;
  }
  void pipe(const std::string& text) { query_ += " | " + text; }

  // ---- commands ----

  Status take_command() {
    const std::size_t before = at_;
    const std::string word = lower_ascii(peek_word());
    if (word.empty()) return fail("a command must stand here");
    at_ += word.size();
    if (word == "fields") return take_fields(false);
    if (word == "display") return take_fields(true);
    if (word == "filter") return take_filter();
    if (word == "stats") return take_stats();
    if (word == "sort" || word == "order") return take_sort();
    if (word == "limit" || word == "head") return take_limit();
    if (word == "dedup") return take_dedup();
    if (word == "parse") return take_parse();
    at_ = before;
    skip_blanks();
    return fail("the command \"" + word + "\" has no translation");
  }

  Status take_fields(bool only_these) {
    if (only_these) shown_.clear();
    do {
      DENDRO_TRY_ASSIGN(const Expression expression, take_expression());
      std::string name = expression.name;
      if (take_keyword("as")) {
        DENDRO_TRY_ASSIGN(name, take_name());
        if (expression.name.empty()) {
          pipe("eval " + expression.text + " as " + query_name(name));
        } else {
          pipe("copy " + query_name(expression.name) + " as " + query_name(name));
        }
      } else if (name.empty()) {
        return fail("an expression needs a name: .. as name");
      }
      if (std::find(shown_.begin(), shown_.end(), name) == shown_.end()) shown_.push_back(name);
    } while (take(","));
    return {};
  }

  Status take_filter() {
    DENDRO_TRY_ASSIGN(const std::string condition, take_or());
    if (query_ == "*") {
      query_ = condition;
    } else {
      pipe("where " + condition);
    }
    return {};
  }

  Status take_sort() {
    std::string keys;
    do {
      DENDRO_TRY_ASSIGN(const std::string key, take_group_column());
      keys += (keys.empty() ? "" : ", ") + query_name(key);
      if (take_keyword("desc")) {
        keys += " desc";
      } else {
        take_keyword("asc");
      }
    } while (take(","));
    pipe("sort by (" + keys + ")");
    return {};
  }
  Status take_limit() {
    const auto count = take_number();
    if (!count || *count < 0 || *count > 1e9) return fail("a number must stand here");
    pipe("limit " + std::to_string(static_cast<std::int64_t>(*count)));
    return {};
  }
  Status take_dedup() {
    std::vector<std::string> names;
    do {
      DENDRO_TRY_ASSIGN(std::string name, take_name());
      names.push_back(std::move(name));
    } while (take(","));
    pipe("dedup 1 by (" + joined(names) + ")");
    return {};
  }

  /// parse [field] "a=*, b=*" as x, y; parse [field] /re with (?<groups>..)/
  Status take_parse() {
    std::string field = "body";
    if (!is_string_ahead() && peek() != '/') {
      DENDRO_TRY_ASSIGN(field, take_name());
    }
    const std::string from = field == "body" ? "" : " from " + query_name(field);
    if (peek() == '/') {
      DENDRO_TRY_ASSIGN(const std::string pattern, take_regex());
      if (lower_ascii(peek_word()) == "as")
        return fail("names behind an expression have no translation: write (?<name>..)");
      pipe("extract_regexp " + quoted_query_text(pattern) + from);
      return {};
    }
    DENDRO_TRY_ASSIGN(const std::string glob, take_string());
    if (glob.find_first_of("<>") != std::string::npos)
      return fail("a pattern that holds \"<\" or \">\" has no translation; an expression (/../) has");
    if (!take_keyword("as")) return fail("expected \"as\" and names");
    std::string pattern;
    bool has_more = true;
    for (const char c : glob) {
      if (c != '*') {
        pattern.push_back(c);
        continue;
      }
      if (!has_more) return fail("the pattern has more \"*\" than there are names");
      DENDRO_TRY_ASSIGN(const std::string name, take_name());
      pattern += "<" + name + ">";
      has_more = take(",");
    }
    if (has_more) return fail("there are more names than the pattern has \"*\"");
    pipe("extract " + quoted_query_text(pattern) + from);
    return {};
  }

  // ---- stats ----

  Status take_stats() {
    shown_.clear();
    std::string aggregates, groups;
    do {
      DENDRO_TRY_ASSIGN(const std::string aggregate, take_aggregate());
      aggregates += (aggregates.empty() ? "" : ", ") + aggregate;
    } while (take(","));
    if (take_keyword("by")) {
      do {
        DENDRO_TRY_ASSIGN(const std::string group, take_group());
        groups += (groups.empty() ? "" : ", ") + group;
      } while (take(","));
    }
    pipe("stats " + (groups.empty() ? "" : "by (" + groups + ") ") + aggregates);
    return {};
  }

  Result<std::string> take_aggregate() {
    const std::size_t before = at_;
    const std::string name = lower_ascii(peek_word());
    at_ += name.size();
    if (!take("(")) return fail("a function such as count(*) must stand here");
    std::string text;
    if (name == "count") {
      DENDRO_TRY_ASSIGN(text, take_count());
    } else if (name == "pct" || name == "percentile") {
      DENDRO_TRY_ASSIGN(const std::string field, take_argument());
      DENDRO_TRY(expect(","));
      const auto percent = take_number();
      if (!percent || *percent < 0 || *percent > 100) return fail("a number from 0 to 100 must stand here");
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *percent / 100);
      text = "quantile(" + std::string(digits.data(), end.ptr) + ", " + field + ")";
    } else if (const std::string_view own = ours(kAggregates, name); !own.empty()) {
      DENDRO_TRY_ASSIGN(const std::string field, take_argument());
      text = std::string(own) + "(" + field + ")";
    } else {
      at_ = before;
      skip_blanks();
      return fail("the function \"" + name + "\" has no translation");
    }
    DENDRO_TRY(expect(")"));
    if (const char next = peek(); next == '/' || next == '*' || next == '+' || next == '-')
      return fail("an expression of several functions has no translation; compute it behind stats");
    if (take_keyword("as")) {
      DENDRO_TRY_ASSIGN(const std::string alias, take_name());
      text += " as " + query_name(alias);
    }
    return text;
  }
  Result<std::string> take_count() {
    if (take("*") || peek() == ')') return std::string("count()");
    DENDRO_TRY_ASSIGN(const std::string field, take_argument());
    return "count(" + field + ")";
  }
  /// A field, or what is computed in front of stats under a name of its own.
  Result<std::string> take_argument() {
    DENDRO_TRY_ASSIGN(const Expression expression, take_expression());
    if (!expression.name.empty()) return query_name(expression.name);
    const std::string name = "argument_" + std::to_string(++arguments_);
    pipe("eval " + expression.text + " as " + name);
    return name;
  }

  /// A field, or `bin(5m)`.
  Result<std::string> take_group() {
    std::string text;
    if (const std::string word = lower_ascii(peek_word()); word == "bin" || word == "datefloor") {
      DENDRO_TRY_ASSIGN(const std::string width, take_bin());
      text = "_time:" + width;
    } else {
      DENDRO_TRY_ASSIGN(const std::string name, take_name());
      if (peek() == '(') return fail("a group by \"" + name + "()\" has no translation; give it a name by fields");
      text = query_name(name);
    }
    if (take_keyword("as")) {
      DENDRO_TRY_ASSIGN(const std::string alias, take_name());
      text += " as " + query_name(alias);
    }
    return text;
  }
  /// Of sort: a column; that of `bin(5m)` is called `_time` here.
  Result<std::string> take_group_column() {
    if (lower_ascii(peek_word()) == "bin") {
      DENDRO_TRY(take_bin());
      return std::string("_time");
    }
    DENDRO_TRY_ASSIGN(std::string name, take_name());
    if (peek() == '(') return fail("a column of stats must have a name to be sorted by: .. as name");
    return name;
  }
  Result<std::string> take_bin() {
    const bool is_floor = lower_ascii(peek_word()) == "datefloor";
    at_ += peek_word().size();
    DENDRO_TRY(expect("("));
    if (is_floor) {
      DENDRO_TRY_ASSIGN(const std::string field, take_name());
      if (field != "_time") return fail("only @timestamp can be grouped by time");
      DENDRO_TRY(expect(","));
    }
    const std::string width(peek_word());
    if (!parse_duration(width) || width.ends_with('w') || width.ends_with('y'))
      return fail("\"" + width + "\" is no width that has a translation; ms, s, m, h and d have");
    at_ += width.size();
    DENDRO_TRY(expect(")"));
    return width;
  }

  // ---- expressions ----

  /// `name` is set where it is nothing but a field.
  struct Expression {
    std::string text, name;
  };
  Result<Expression> take_expression() {
    if (++depth_ > kInsightsDepthMax) return fail("more than 50 brackets inside each other");
    DENDRO_TRY_ASSIGN(Expression left, take_term());
    for (char op = peek(); op == '+' || op == '-'; op = peek()) {
      ++at_;
      DENDRO_TRY_ASSIGN(const Expression right, take_term());
      left = {left.text + " " + op + " " + right.text, ""};
    }
    --depth_;
    return left;
  }
  Result<Expression> take_term() {
    DENDRO_TRY_ASSIGN(Expression left, take_factor());
    for (char op = peek(); op == '*' || op == '/' || op == '%'; op = peek()) {
      ++at_;
      DENDRO_TRY_ASSIGN(const Expression right, take_factor());
      left = {left.text + " " + op + " " + right.text, ""};
    }
    return left;
  }
  Result<Expression> take_factor() {
    DENDRO_TRY_ASSIGN(Expression base, take_operand());
    if (!take("^")) return base;
    DENDRO_TRY_ASSIGN(const Expression exponent, take_operand());
    return Expression{"pow(" + base.text + ", " + exponent.text + ")", ""};
  }
  Result<Expression> take_operand() {
    if (take("(")) {
      DENDRO_TRY_ASSIGN(const Expression inner, take_expression());
      DENDRO_TRY(expect(")"));
      return Expression{"(" + inner.text + ")", ""};
    }
    if (is_string_ahead()) {
      DENDRO_TRY_ASSIGN(const std::string text, take_string());
      return Expression{quoted_query_text(text), ""};
    }
    skip_blanks();
    const std::size_t first = at_;
    if (take_number()) return Expression{std::string(since(first)), ""};
    const std::string word = lower_ascii(peek_word());
    const std::size_t behind = at_ + word.size();
    if (behind < text_.size() && text_[behind] == '(') return take_call(word);
    DENDRO_TRY_ASSIGN(const std::string name, take_name());
    if (name.find('`') != std::string::npos) return fail("a name with \"`\" has no translation");
    return Expression{"`" + name + "`", name};
  }
  Result<Expression> take_call(const std::string& word) {
    const std::string_view own = word == "sqrt" ? std::string_view("pow") : ours(kScalars, word);
    if (own.empty()) return fail("the function \"" + word + "\" has no translation");
    at_ += word.size() + 1;
    std::string text = std::string(own) + "(";
    while (!take(")")) {
      if (!text.ends_with('(')) {
        DENDRO_TRY(expect(","));
        text += ", ";
      }
      DENDRO_TRY_ASSIGN(const Expression argument, take_expression());
      text += argument.text;
    }
    return Expression{text + (word == "sqrt" ? ", 0.5)" : ")"), ""};
  }

  // ---- filters ----

  Result<std::string> take_or() {
    if (++depth_ > kInsightsDepthMax) return fail("more than 50 brackets inside each other");
    DENDRO_TRY_ASSIGN(std::string all, take_and());
    while (take_keyword("or")) {
      DENDRO_TRY_ASSIGN(const std::string other, take_and());
      all += " or " + other;
    }
    --depth_;
    return all;
  }
  Result<std::string> take_and() {
    DENDRO_TRY_ASSIGN(std::string all, take_not());
    while (take_keyword("and")) {
      DENDRO_TRY_ASSIGN(const std::string other, take_not());
      all += " and " + other;
    }
    return all;
  }
  Result<std::string> take_not() {
    bool is_negated = false;
    while (take_keyword("not")) is_negated = !is_negated;
    if (take("(")) {
      DENDRO_TRY_ASSIGN(const std::string inner, take_or());
      DENDRO_TRY(expect(")"));
      return (is_negated ? "not (" : "(") + inner + ")";
    }
    DENDRO_TRY_ASSIGN(const std::string test, take_test());
    return is_negated ? "not (" + test + ")" : test;
  }

  Result<std::string> take_test() {
    const std::string word = lower_ascii(peek_word());
    if (word == "ispresent" || word == "isempty" || word == "isblank") return take_presence(word);
    DENDRO_TRY_ASSIGN(const std::string name, take_name());
    if (peek() == '(') return fail("a condition on \"" + name + "()\" has no translation");
    const std::string field = query_name(name) + ":";
    const bool is_negated = take_keyword("not");
    std::string test;
    if (take_keyword("like") || (!is_negated && take("=~"))) {
      DENDRO_TRY_ASSIGN(test, take_like(field));
    } else if (take_keyword("in")) {
      DENDRO_TRY_ASSIGN(test, take_list(field));
    } else if (is_negated) {
      return fail("expected \"like\" or \"in\" behind \"not\"");
    } else {
      return take_comparison(name);
    }
    if (is_negated) warn_of_missing();
    return is_negated ? "not " + test : test;
  }
  Result<std::string> take_presence(const std::string& word) {
    at_ += word.size();
    DENDRO_TRY(expect("("));
    DENDRO_TRY_ASSIGN(const std::string name, take_name());
    DENDRO_TRY(expect(")"));
    const std::string field = query_name(name) + ":";
    if (word == "isempty") return field + "\"\"";
    if (word == "isblank") return "(" + field + "\"\" or " + field + "~" + quoted_query_text("^\\s*$") + ")";
    return "(" + field + "* or " + field + "=\"\")";
  }
  Result<std::string> take_like(const std::string& field) {
    if (peek() == '/') {
      DENDRO_TRY_ASSIGN(const std::string pattern, take_regex());
      return field + "~" + quoted_query_text(pattern);
    }
    DENDRO_TRY_ASSIGN(const std::string text, take_string());
    if (text.empty()) return std::string("*");
    return field + "*" + quoted_query_text(text) + "*";
  }
  Result<std::string> take_list(const std::string& field) {
    DENDRO_TRY(expect("["));
    std::string values;
    while (!take("]")) {
      if (!values.empty()) {
        DENDRO_TRY(expect(","));
        values += ", ";
      }
      DENDRO_TRY_ASSIGN(const std::string value, take_literal());
      values += value;
    }
    if (values.empty()) return fail("a list of nothing");
    return field + "in(" + values + ")";
  }
  Result<std::string> take_literal() {
    if (is_string_ahead()) {
      DENDRO_TRY_ASSIGN(const std::string text, take_string());
      return quoted_query_text(text);
    }
    skip_blanks();
    const std::size_t first = at_;
    if (!take_number()) return fail("a text or a number must stand here");
    return std::string(since(first));
  }

  Result<std::string> take_comparison(const std::string& name) {
    std::string op;
    for (const char* known : {"!=", ">=", "<=", "=", ">", "<"}) {
      if (op.empty() && take(known)) op = known;
    }
    if (op.empty()) return fail("expected a comparison behind \"" + name + "\"");
    if (op == "!=") warn_of_missing();
    const char next = peek();
    const bool is_literal = next == '"' || next == '\'' || next == '-' || (next >= '0' && next <= '9');
    if (!is_literal) return take_field_comparison(name, op);
    DENDRO_TRY_ASSIGN(const std::string value, take_literal());
    if (const char behind = peek(); behind == '*' || behind == '/' || behind == '+' || behind == '-' || behind == '%')
      return fail("a computed value has no translation here; give it a name by fields");
    const std::string field = query_name(name) + ":";
    if (value == "\"\"" && op == "=") return field + "=\"\"";
    return op == "!=" ? "not " + field + "=" + value : field + op + value;
  }
  Result<std::string> take_field_comparison(const std::string& name, const std::string& op) {
    DENDRO_TRY_ASSIGN(const std::string other, take_name());
    const bool is_turned = op[0] == '>';
    const std::string left = query_name(is_turned ? other : name), right = query_name(is_turned ? name : other);
    if (op == "=" || op == "!=") return std::string(op == "!=" ? "not " : "") + left + ":eq_field(" + right + ")";
    return left + (op.size() == 2 ? ":le_field(" : ":lt_field(") + right + ")";
  }
  void warn_of_missing() {
    if (warnings_.empty()) warnings_.emplace_back("records without the field match a negated condition here");
  }

  int depth_ = 0;
  int arguments_ = 0;
  std::string query_ = "*";
  std::vector<std::string> shown_;  ///< of fields and display; empty: all
  std::vector<std::string> warnings_;
};

}  // namespace

Result<Translation> translate_insights(std::string_view text) {
  return InsightsTranslator(text).run();
}

}  // namespace dendro
