#include "filter/predicate_text.h"

#include <array>
#include <bit>

#include "record/severity.h"

namespace dendro {
namespace {

bool is_keyword(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower == "and" || lower == "or" || lower == "not";
}

void append_literal(std::string& out, const Literal& literal) {
  if (literal.is_quoted()) {
    append_query_string(out, literal.text());
  } else {
    out += literal.text();
  }
}

std::string_view op_text(CompareOp op) {
  static constexpr std::array<std::string_view, 4> kTexts = {">", ">=", "<", "<="};
  return kTexts[static_cast<std::size_t>(op)];
}

void append_pattern(std::string& out, const TextPattern& pattern) {
  if (pattern.open_start) out.push_back('*');
  append_query_text(out, pattern.text);
  if (pattern.open_end) out.push_back('*');
}

void append_patterns(std::string& out, const std::vector<TextPattern>& patterns) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_pattern(out, patterns[i]);
  }
}

/// Always in quotes: a bare word would depend on what it stands behind.
void append_regex(std::string& out, const Regex& regex) {
  out.push_back('~');
  append_query_string(out, regex.pattern());
}

struct ConditionWriter {
  std::string& out;
  void operator()(const Exists&) const { out.push_back('*'); }
  void operator()(const Empty&) const { out += "\"\""; }
  void operator()(const TextPattern& pattern) const {
    if (pattern.folds) out += "i(";
    append_pattern(out, pattern);
    if (pattern.folds) out.push_back(')');
  }
  void operator()(const Equals& equals) const {
    out.push_back('=');
    append_literal(out, equals.literal);
  }
  void operator()(const BeginsWith& prefix) const {
    out.push_back('=');
    append_query_text(out, prefix.text);
    out.push_back('*');
  }
  void operator()(const Comparison& comparison) const {
    out += op_text(comparison.op);
    append_literal(out, comparison.literal);
  }
  void operator()(const Between& range) const {
    out += range.includes_first ? "[" : "range(";
    append_literal(out, range.first);
    out.push_back(',');
    append_literal(out, range.last);
    out.push_back(range.includes_last ? ']' : ')');
  }
  void operator()(const OneOf& list) const {
    out += "in(";
    for (std::size_t i = 0; i < list.literals.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_literal(out, list.literals[i]);
    }
    out.push_back(')');
  }
  void operator()(const RegexMatch& match) const { append_regex(out, *match.regex); }
  void operator()(const ContainsAll& all) const { append_call("contains_all(", all.patterns); }
  void operator()(const ContainsAny& any) const { append_call("contains_any(", any.patterns); }
  void operator()(const Sequence& sequence) const { append_call("seq(", sequence.patterns); }
  void operator()(const LengthRange& range) const {
    out += "len_range(" + std::to_string(range.min) + "," + std::to_string(range.max) + ")";
  }
  void operator()(const InNetwork& condition) const { out += "ip(\"" + condition.network.text() + "\")"; }
  void operator()(const StringRange& range) const {
    out += "string_range(";
    append_query_text(out, range.first);
    out.push_back(',');
    append_query_text(out, range.last);
    out.push_back(')');
  }
  void operator()(const TypeIs& type) const { out += "type(" + std::string(value_kind_name(type.kind)) + ")"; }
  void operator()(const PlaceholderMatch& match) const {
    out += "pattern(";
    append_query_string(out, match.text);
    out.push_back(')');
  }
  void operator()(const Near& near) const {
    append_call("near(", {near.first, near.second});
    out.back() = ',';
    out += std::to_string(near.words) + ")";
  }
  void operator()(const InQuery& in) const { out += "in(" + in.query + ")"; }

 private:
  void append_call(std::string_view opener, const std::vector<TextPattern>& patterns) const {
    out += opener;
    append_patterns(out, patterns);
    out.push_back(')');
  }
};

/// severity:error, severity:*, severity:"", severity:in(17,18)
void append_severities(std::string& out, std::uint32_t numbers) {
  constexpr std::uint32_t kAllSet = 0x1FFFFFE;
  if (numbers == 1) {
    out += "\"\"";
    return;
  }
  if (numbers == kAllSet) {
    out.push_back('*');
    return;
  }
  for (SeverityNumber base = 1; base <= kSeverityMax; base = static_cast<SeverityNumber>(base + 4)) {
    if (numbers == 0xFu << base) {
      out += severity_name(base);
      return;
    }
  }
  out += "in(";
  bool first = true;
  for (unsigned number = 1; number <= kSeverityMax; ++number) {
    if ((numbers >> number & 1) == 0) continue;
    if (!first) out.push_back(',');
    out += std::to_string(number);
    first = false;
  }
  out.push_back(')');
}

void append_time_range(std::string& out, const TimeRange& range) {
  if (range.first == kTimestampMin && range.last == kTimestampMax) {
    out.push_back('*');
  } else if (range.last == kTimestampMax) {
    out += ">=" + to_rfc3339(range.first);
  } else if (range.first == kTimestampMin) {
    out += "<" + to_rfc3339(range.last);
  } else {
    out += "[" + to_rfc3339(range.first) + "," + to_rfc3339(range.last) + ")";
  }
}

void append_clock_time(std::string& out, std::int64_t nanoseconds) {
  const std::int64_t seconds = nanoseconds / kNanosPerSecond;
  for (const std::int64_t number : {seconds / 3600, seconds / 60 % 60, seconds % 60}) {
    if (out.back() != '[' && out.back() != ',') out.push_back(':');
    out.push_back(static_cast<char>('0' + number / 10));
    out.push_back(static_cast<char>('0' + number % 10));
  }
}

/// day_range[08:00:00,18:00:00), week_range[Mon,Fri]
void append_clock_range(std::string& out, const ClockTest& test) {
  if (test.cycle == ClockTest::Cycle::day) {
    out += "day_range[";
    append_clock_time(out, test.first_ns);
    out.push_back(',');
    append_clock_time(out, test.last_ns);
    out.push_back(')');
    return;
  }
  static constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  const auto day = [](std::int64_t nanoseconds) {
    return kDays[static_cast<std::size_t>((nanoseconds / kNanosPerDay + 7) % 7)];
  };
  out += "week_range[" + std::string(day(test.first_ns)) + ",";
  out += std::string(day(test.last_ns - kNanosPerDay)) + "]";
}

/// What surrounds a part: a lower number binds tighter.
enum class Binding : int { unary = 0, conjunction = 1, disjunction = 2 };

struct PredicateWriter {
  std::string& out;
  Binding outer = Binding::disjunction;

  void write(const Predicate& predicate, Binding around) const {
    std::visit(PredicateWriter{out, around}, predicate.node);
  }
  void operator()(const Everything&) const { out.push_back('*'); }
  void operator()(const AllOf& all) const { write_group(all.parts, " ", Binding::conjunction); }
  void operator()(const AnyOf& any) const { write_group(any.parts, " or ", Binding::disjunction); }
  void operator()(const Negation& negated) const {
    out += "not ";
    write(*negated.operand, Binding::unary);
  }
  void operator()(const FieldTest& test) const {
    append_field(test.field);
    std::visit(ConditionWriter{out}, test.condition);
  }
  void operator()(const SeverityTest& test) const {
    append_field(test.field);
    append_severities(out, test.numbers);
  }
  void operator()(const TimeTest& test) const {
    append_field(test.field);
    append_time_range(out, test.range);
  }
  void operator()(const LabelTest& test) const {
    out.push_back('{');
    append_query_name(out, test.name);
    out.push_back('=');
    append_query_string(out, test.text);
    out.push_back('}');
  }
  void operator()(const LabelMatch& test) const {
    out.push_back('{');
    append_query_name(out, test.name);
    out.push_back('=');
    append_regex(out, *test.regex);
    out.push_back('}');
  }
  void operator()(const ClockTest& test) const {
    append_field(test.field);
    append_clock_range(out, test);
  }
  void operator()(const FieldComparison& comparison) const {
    static constexpr std::array<std::string_view, 3> kNames = {"eq_field(", "lt_field(", "le_field("};
    append_field(comparison.field);
    out += kNames[static_cast<std::size_t>(comparison.order)];
    append_query_text(out, comparison.other);
    out.push_back(')');
  }

 private:
  void append_field(std::string_view field) const {
    if (field.empty()) return;
    append_query_name(out, field);
    out.push_back(':');
  }
  void write_group(const std::vector<Predicate>& parts, std::string_view separator, Binding own) const {
    const bool needs_brackets = outer < own;
    if (needs_brackets) out.push_back('(');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) out += separator;
      write(parts[i], own);
    }
    if (needs_brackets) out.push_back(')');
  }
};

}  // namespace

std::string_view value_kind_name(ValueKind kind) {
  static constexpr std::array<std::string_view, 4> kNames = {"number", "string", "bool", "list"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string to_text(const Predicate& predicate) {
  std::string text;
  PredicateWriter{text}.write(predicate, Binding::disjunction);
  return text;
}

bool is_query_word_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte <= 0x20 || byte == 0x7F) return false;
  return std::string_view("\"'()[]{},|:*=<>!~`").find(c) == std::string_view::npos;
}

bool is_bare_word(std::string_view text) {
  if (text.empty() || text[0] == '-' || text[0] == '+' || text[0] == '#' || text[0] == '$' || is_keyword(text))
    return false;
  for (const char c : text) {
    if (!is_query_word_char(c)) return false;
  }
  return true;
}

void append_query_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_query_text(std::string& out, std::string_view text) {
  if (is_bare_word(text)) {
    out += text;
  } else {
    append_query_string(out, text);
  }
}

void append_query_name(std::string& out, std::string_view name) {
  const bool starts_with_digit = !name.empty() && name[0] >= '0' && name[0] <= '9';
  if (starts_with_digit) {
    append_query_string(out, name);
  } else {
    append_query_text(out, name);
  }
}

}  // namespace dendro
