// LogQL's log queries (query-language.md 12).
#include "query/translate/logql_stages.h"

#include "filter/time_literal.h"

namespace dendro {
namespace {

constexpr int kFilterDepthMax = 50;
constexpr std::string_view kUnwrapped = "unwrapped";

/// `<_>` is anything.
std::string regex_of_pattern(const std::string& pattern) {
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

}  // namespace

Result<LogqlPipeline> LogqlStages::run() {
  DENDRO_TRY_ASSIGN(out_.query, take_selector());
  if (use_ == Use::samples && text_.peek() == '[') DENDRO_TRY(take_range());
  while (!text_.at_end()) {
    const char next = text_.peek();
    if (use_ == Use::samples && next == '[' && !out_.range_ns) {
      DENDRO_TRY(take_range());
      break;
    }
    if (use_ == Use::samples && next != '|' && next != '!') break;
    DENDRO_TRY(take_stage());
  }
  if (out_.query.empty() || out_.query.starts_with(" |")) out_.query.insert(0, "*");  // an empty selector is everything
  return std::move(out_);
}

void LogqlStages::pipe(const std::string& text) {
  out_.query += " | " + text;
  has_piped_ = true;
}

Result<std::string> LogqlStages::take_selector() {
  DENDRO_TRY(text_.expect("{"));
  std::string selector = "{";
  while (!text_.take("}")) {
    if (selector.size() > 1) {
      if (!text_.take(",")) return text_.fail("expected \",\" or \"}\"");
      if (text_.take("}")) break;
      selector += ",";
    }
    DENDRO_TRY_ASSIGN(const std::string name, text_.take_label());
    std::string op;
    for (const char* known : {"=~", "!~", "!=", "="}) {
      if (text_.take(known)) {
        op = known;
        break;
      }
    }
    if (op.empty()) return text_.fail("expected one of = != =~ !~");
    DENDRO_TRY_ASSIGN(const std::string value, text_.take_string());
    selector += query_name(name) + op + quoted_query_text(value);
  }
  return selector == "{" ? std::string() : selector + "}";
}

Status LogqlStages::take_range() {
  DENDRO_TRY(text_.expect("["));
  const auto range = parse_duration(text_.take_number());
  if (!range || *range <= 0) return text_.fail("a range such as [5m] must stand here");
  out_.range_ns = *range;
  return text_.expect("]");
}

Status LogqlStages::take_stage() {
  struct LineFilter {
    std::string_view op;
    std::string_view kind;
    bool is_negated;
  };
  static constexpr LineFilter kLineFilters[] = {{"|=", "text", false},    {"!=", "text", true},
                                                {"|~", "regex", false},   {"!~", "regex", true},
                                                {"|>", "pattern", false}, {"!>", "pattern", true}};
  for (const LineFilter& filter : kLineFilters) {
    if (text_.take(filter.op)) return take_line_filter(filter.kind, filter.is_negated);
  }
  if (!text_.take("|")) return text_.fail("expected \"|\" or a line filter");
  if (text_.take_word("json")) return take_parser("json");
  if (text_.take_word("logfmt")) return take_parser("logfmt");
  if (text_.take_word("decolorize")) {
    pipe("decolorize");
    return {};
  }
  if (text_.take_word("pattern")) return take_pattern();
  if (text_.take_word("regexp")) return take_regexp();
  if (text_.take_word("drop")) return take_names("drop ", "");
  if (text_.take_word("distinct")) return take_names("dedup 1 by (", ")");
  if (text_.take_word("line_format")) return take_line_format();
  if (text_.take_word("label_format")) return take_label_format();
  if (text_.take_word("unwrap")) return take_unwrap();
  for (const char* word : {"keep", "unpack"}) {
    if (text_.take_word(word)) return text_.fail("\"" + std::string(word) + "\" has no translation");
  }
  DENDRO_TRY_ASSIGN(const std::string condition, take_label_or());
  if (condition != "*") pipe("where " + condition);
  return {};
}

Status LogqlStages::take_line_filter(std::string_view kind, bool is_negated) {
  std::vector<std::string> alternatives;
  do {
    if (kind == "text" && text_.take_word("ip")) {
      DENDRO_TRY(text_.expect("("));
      DENDRO_TRY_ASSIGN(const std::string network, text_.take_string());
      DENDRO_TRY(text_.expect(")"));
      alternatives.push_back("body:ip(" + quoted_query_text(network) + ")");
      continue;
    }
    DENDRO_TRY_ASSIGN(const std::string value, text_.take_string());
    if (value.empty()) {
      alternatives.emplace_back("*");
    } else if (kind == "text") {
      alternatives.push_back("body:*" + quoted_query_text(value) + "*");
    } else {
      alternatives.push_back("body:~" + quoted_query_text(kind == "regex" ? value : regex_of_pattern(value)));
    }
  } while (text_.take_word("or"));
  std::string condition = alternatives.front();
  for (std::size_t i = 1; i < alternatives.size(); ++i) condition += " or " + alternatives[i];
  condition = (is_negated ? "not (" : "(") + condition + ")";
  out_.query += (has_piped_ ? " | where " : " ") + condition;
  return {};
}

Status LogqlStages::take_parser(const std::string& format) {
  const char next = text_.peek();
  if (next != '\0' && next != '|' && next != '!' && !(use_ == Use::samples && (next == '[' || next == ')'))) {
    return text_.fail("labels behind " + format + " have no translation");
  }
  if (!out_.makes_labels)
    warnings_.push_back("members of members are named with dots here: a label a_b is the field a.b");
  out_.makes_labels = true;
  pipe("unpack " + format);
  return {};
}

/// Anchored at the start of the line: where it begins with a text, the line must.
Status LogqlStages::take_pattern() {
  DENDRO_TRY_ASSIGN(const std::string pattern, text_.take_string());
  const std::string literal = pattern.substr(0, pattern.find('<'));
  const std::string condition = literal.empty() ? "" : "if (body:=" + quoted_query_text(literal) + "*) ";
  pipe("extract " + condition + quoted_query_text(pattern));
  out_.makes_labels = true;
  return {};
}

Status LogqlStages::take_regexp() {
  DENDRO_TRY_ASSIGN(const std::string pattern, text_.take_string());
  pipe("extract_regexp " + quoted_query_text(pattern));
  out_.makes_labels = true;
  return {};
}

Status LogqlStages::take_names(const std::string& before, const std::string& behind) {
  std::string names;
  do {
    DENDRO_TRY_ASSIGN(const std::string name, text_.take_label());
    const char next = text_.peek();
    if (next == '=' || next == '!') return text_.fail("a condition on \"" + name + "\" has no translation here");
    names += (names.empty() ? "" : ", ") + query_name(name);
  } while (text_.take(","));
  pipe(before + names + behind);
  return {};
}

/// `a {{.x}} b` as `a <x> b`.
Result<std::string> LogqlStages::template_text(const std::string& text) const {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<' || text[i] == '>') return text_.fail("a template that holds \"<\" or \">\" has no translation");
    if (text.compare(i, 2, "{{") != 0) {
      out.push_back(text[i]);
      continue;
    }
    const std::size_t end = text.find("}}", i);
    if (end == std::string::npos) return text_.fail("a \"}}\" is missing in the template");
    std::string_view inner = std::string_view(text).substr(i + 2, end - i - 2);
    while (inner.starts_with(' ')) inner.remove_prefix(1);
    while (inner.ends_with(' ')) inner.remove_suffix(1);
    const bool is_name =
        inner.size() > 1 && inner[0] == '.' &&
        std::string_view(inner).substr(1).find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
    if (!is_name) return text_.fail("\"{{" + std::string(inner) + "}}\" has no translation; {{.label}} has");
    out += "<" + std::string(inner.substr(1)) + ">";
    i = end + 1;
  }
  return out;
}

Status LogqlStages::take_line_format() {
  DENDRO_TRY_ASSIGN(const std::string text, text_.take_string());
  DENDRO_TRY_ASSIGN(const std::string format, template_text(text));
  pipe("format " + quoted_query_text(format) + " as body");
  return {};
}

Status LogqlStages::take_label_format() {
  do {
    DENDRO_TRY_ASSIGN(const std::string to, text_.take_label());
    DENDRO_TRY(text_.expect("="));
    if (const char next = text_.peek(); next == '"' || next == '`') {
      DENDRO_TRY_ASSIGN(const std::string text, text_.take_string());
      DENDRO_TRY_ASSIGN(const std::string format, template_text(text));
      pipe("format " + quoted_query_text(format) + " as " + query_name(to));
    } else {
      DENDRO_TRY_ASSIGN(const std::string from, text_.take_label());
      pipe("rename " + query_name(from) + " as " + query_name(to));
    }
  } while (text_.take(","));
  out_.makes_labels = true;
  return {};
}

/// Numbers only; lines without one are no samples.
Status LogqlStages::take_unwrap() {
  if (use_ == Use::records) return text_.fail("\"unwrap\" stands in a metric query such as sum_over_time(.. [5m])");
  if (!out_.unwrapped.empty()) return text_.fail("a second unwrap has no translation");
  DENDRO_TRY_ASSIGN(std::string name, text_.take_label());
  std::string expression = "`" + name + "` + 0";
  if (text_.take("(")) {
    const bool is_duration = name == "duration" || name == "duration_seconds";
    if (!is_duration && name != "bytes") return text_.fail("unwrap by \"" + name + "()\" has no translation");
    DENDRO_TRY_ASSIGN(name, text_.take_label());
    DENDRO_TRY(text_.expect(")"));
    expression = is_duration ? "duration_ms(`" + name + "`) / 1000" : "bytes(`" + name + "`)";
  }
  pipe("eval " + expression + " as " + std::string(kUnwrapped));
  pipe("where " + std::string(kUnwrapped) + ":*");
  out_.unwrapped = kUnwrapped;
  return {};
}

// ---- label filters: or = and { "or" and }; and = one { ("and" | ",") one } ----

Result<std::string> LogqlStages::take_label_or() {
  if (++depth_ > kFilterDepthMax) return text_.fail("more than 50 brackets inside each other");
  DENDRO_TRY_ASSIGN(std::string all, take_label_and());
  while (text_.take_word("or")) {
    DENDRO_TRY_ASSIGN(const std::string other, take_label_and());
    all += " or " + other;
  }
  --depth_;
  return all;
}

Result<std::string> LogqlStages::take_label_and() {
  DENDRO_TRY_ASSIGN(std::string all, take_label_filter());
  while (text_.take_word("and") || text_.take(",")) {
    DENDRO_TRY_ASSIGN(const std::string other, take_label_filter());
    all += " and " + other;
  }
  return all;
}

Result<std::string> LogqlStages::take_label_filter() {
  if (text_.take("(")) {
    DENDRO_TRY_ASSIGN(const std::string inner, take_label_or());
    DENDRO_TRY(text_.expect(")"));
    return "(" + inner + ")";
  }
  const std::size_t before = text_.offset();
  DENDRO_TRY_ASSIGN(const std::string name, text_.take_label());
  if (name == "__error__") {
    // What unwrap leaves has no error, and nothing else is asked of it.
    const bool is_empty = text_.take("=") && (text_.take("\"\"") || text_.take("``"));
    if (is_empty && !out_.unwrapped.empty() && depth_ == 1) return std::string("*");
    text_.go_back(before);
    return text_.fail("\"__error__\" has no translation but behind unwrap, compared with nothing");
  }
  for (const char* op : {"=~", "!~", "==", "!=", ">=", "<=", "=", ">", "<"}) {
    if (text_.take(op)) return take_comparison(query_name(name) + ":", op);
  }
  return text_.fail("expected a comparison behind \"" + name + "\"");
}

Result<std::string> LogqlStages::take_comparison(const std::string& field, const std::string& op) {
  if (const char next = text_.peek(); next == '"' || next == '`') {
    DENDRO_TRY_ASSIGN(const std::string value, text_.take_string());
    if (op == "=~") return field + "~" + quoted_query_text("^(?:" + value + ")$");
    if (op == "!~") return "not " + field + "~" + quoted_query_text("^(?:" + value + ")$");
    if (op == "=") return field + (value.empty() ? "\"\"" : "=" + quoted_query_text(value));
    if (op == "!=") return "not " + field + (value.empty() ? "\"\"" : "=" + quoted_query_text(value));
    return text_.fail("a text is compared by = != =~ !~");
  }
  const std::string number = text_.take_number();
  if (number.empty() || op == "=~" || op == "!~") return text_.fail("a value must stand here");
  if (op == "==" || op == "=") return field + "=" + number;
  if (op == "!=") return "not " + field + "=" + number;
  return field + op + number;
}

}  // namespace dendro
