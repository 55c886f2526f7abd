// test, pattern, range of the grammar: what one field, or any value, is to be.
#include "query/language/parser_state.h"

namespace dendro {
namespace {

std::optional<CompareOp> compare_op(TokenKind kind) {
  switch (kind) {
    case TokenKind::greater:
      return CompareOp::greater;
    case TokenKind::greater_equal:
      return CompareOp::greater_equal;
    case TokenKind::less:
      return CompareOp::less;
    case TokenKind::less_equal:
      return CompareOp::less_equal;
    default:
      return std::nullopt;
  }
}

bool is_operator(TokenKind kind) {
  return compare_op(kind).has_value() || kind == TokenKind::equal || kind == TokenKind::not_equal ||
         kind == TokenKind::match || kind == TokenKind::not_match;
}

/// `text` so that RE2 takes each character as itself.
std::string regex_literal(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

}  // namespace

Result<Predicate> QueryParser::parse_test(const Scope* scope) {
  if (scope != nullptr && (scope->field == "_time" || scope->field == "_observed")) return parse_when(scope->field);
  const Token token = peek(scope != nullptr ? LexMode::value : LexMode::plain);
  if (starts_range(token)) {
    if (scope == nullptr) return fail(token, "a range needs a field");
    return parse_range(scope);
  }
  const bool is_call = token.kind == TokenKind::word &&
                       lexer_.lex(token.end(), LexMode::plain).kind == TokenKind::open_round &&
                       token.end() < query().size() && query()[token.end()] == '(';
  if (is_call) return parse_call(scope);
  switch (token.kind) {
    case TokenKind::star:
    case TokenKind::word:
    case TokenKind::string:
      return parse_pattern(scope);
    case TokenKind::equal:
      return parse_equals(scope, false);
    case TokenKind::not_equal:
      return parse_equals(scope, true);
    case TokenKind::match:
      return parse_regex(scope, false);
    case TokenKind::not_match:
      return parse_regex(scope, true);
    case TokenKind::greater:
    case TokenKind::greater_equal:
    case TokenKind::less:
    case TokenKind::less_equal:
      return parse_comparison(scope);
    default:
      return unexpected(token, "a filter");
  }
}

Result<Predicate> QueryParser::parse_pattern(const Scope* scope) {
  const LexMode mode = scope != nullptr ? LexMode::value : LexMode::plain;
  const Token first = peek(mode);
  take(first);
  TextPattern pattern;
  Token text = first;
  if (first.kind == TokenKind::star) {
    text = peek(mode);
    if (!is_adjacent(text) || !text.is_text()) {
      if (is_adjacent(text) && text.kind == TokenKind::star) return star_inside(first, text);
      if (scope == nullptr) return Predicate{Everything{}};
      return make_test(scope, Exists{}, {first.offset, first.size});
    }
    take(text);
    pattern.open_start = true;
  }
  pattern.text = text.text;
  Token after = peek();
  if (after.kind == TokenKind::star && is_adjacent(after)) {
    take(after);
    pattern.open_end = true;
    const Token behind = peek(mode);
    if (is_adjacent(behind) && (behind.is_text() || behind.kind == TokenKind::star)) return star_inside(first, after);
    after = peek();
  }
  if (scope == nullptr && first.kind == TokenKind::word) DENDRO_TRY(check_bare_operator(first));
  const Place place{first.offset, at_ - first.offset};
  const bool is_empty_string = text.kind == TokenKind::string && text.text.empty();
  if (is_empty_string && scope != nullptr && !pattern.open_start && !pattern.open_end)
    return make_test(scope, Empty{}, place);
  return make_test(scope, std::move(pattern), place);
}

Result<TextPattern> QueryParser::take_pattern_argument() {
  TextPattern pattern;
  const Token first = peek(LexMode::value);
  Token text = first;
  if (first.kind == TokenKind::star) {
    take(first);
    text = peek(LexMode::value);
    if (!is_adjacent(text)) return unexpected(text, "a text beside \"*\"");
    pattern.open_start = true;
  }
  if (!text.is_text()) return unexpected(text, "a word or a phrase");
  take(text);
  pattern.text = text.text;
  const Token star = peek();
  if (star.kind == TokenKind::star && is_adjacent(star)) {
    take(star);
    pattern.open_end = true;
  }
  const Token behind = peek(LexMode::value);
  const bool goes_on = is_adjacent(behind) && (behind.is_text() || behind.kind == TokenKind::star);
  if (goes_on && pattern.open_end) return fail(star, "\"*\" works only at the ends of a word");
  return pattern;
}

/// `foo*bar`: suggests the regular expression. `first` begins the word.
Error QueryParser::star_inside(const Token& first, const Token& star) {
  std::string expression;
  std::size_t end = first.offset;
  for (;;) {
    const Token part = lexer_.lex(end, LexMode::value);
    if (part.offset != end || part.kind == TokenKind::end) break;
    if (part.kind == TokenKind::star) {
      expression += ".*";
    } else if (part.is_text()) {
      expression += regex_literal(part.text);
    } else {
      break;
    }
    end = part.end();
  }
  std::string quoted;
  for (const char c : expression) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return fail(star, "\"*\" works only at the ends of a word",
              with_part(first.offset, end - first.offset, "~\"" + quoted + "\""));
}

/// `status=500` and `status = 500`: guessing would be wrong silently for half of the users (D5).
Status QueryParser::check_bare_operator(const Token& word) {
  const Token op = peek();
  if (!is_operator(op.kind)) return {};
  const Token operand = lexer_.lex(op.end(), LexMode::value);
  const bool is_spaced = op.offset > word.end();
  if (is_spaced && operand.offset == op.end()) return {};  // foo =bar: a word, and a whole value
  const std::string sign(query().substr(op.offset, op.size));
  std::string changed(query().substr(0, word.end()));
  changed += ":" + sign;
  changed += query().substr(operand.offset);
  return fail(op, "\"" + sign + "\" needs \":\" before it", changed);
}

Result<Predicate> QueryParser::parse_equals(const Scope* scope, bool negated) {
  const Token op = peek(LexMode::value);
  take(op);
  DENDRO_TRY_ASSIGN(const Token text, take_literal_token(negated ? "!=" : "="));
  Condition condition = Equals{literal_of(text)};
  const Token star = peek();
  if (star.kind == TokenKind::star && is_adjacent(star)) {
    take(star);
    condition = BeginsWith{text.text};
  }
  DENDRO_TRY_ASSIGN(Predicate test, make_test(scope, std::move(condition), {text.offset, text.size}));
  return negated ? negation(std::move(test)) : std::move(test);
}

Result<Predicate> QueryParser::parse_comparison(const Scope* scope) {
  const Token op = peek(LexMode::value);
  const std::string sign(query().substr(op.offset, op.size));
  if (scope == nullptr) return fail(op, "\"" + sign + "\" needs a field");
  take(op);
  DENDRO_TRY_ASSIGN(const Token text, take_literal_token(sign));
  return make_test(scope, Comparison{*compare_op(op.kind), literal_of(text)}, {text.offset, text.size});
}

Result<Predicate> QueryParser::parse_range(const Scope* scope) {
  const Token opener = peek(LexMode::value);
  RangeBrackets brackets;
  DENDRO_TRY(take_range_start(brackets));
  DENDRO_TRY_ASSIGN(const Token first, take_literal_token("["));
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(const Token last, take_literal_token(","));
  DENDRO_TRY(take_range_end(brackets, opener));
  return make_test(scope, Between{literal_of(first), literal_of(last), brackets.includes_first, brackets.includes_last},
                   {first.offset, last.end() - first.offset});
}

Result<Predicate> QueryParser::parse_regex(const Scope* scope, bool negated) {
  const Token op = peek(LexMode::value);
  take(op);
  const Token text = peek(LexMode::value);
  DENDRO_TRY_ASSIGN(auto regex, take_regex(op));
  if (regex->atoms().empty() && pipe_index_ == 0) unindexed_regexes_.push_back({text.offset, text.size});
  DENDRO_TRY_ASSIGN(Predicate test, make_test(scope, RegexMatch{std::move(regex)}, {text.offset, text.size}));
  return negated ? negation(std::move(test)) : std::move(test);
}

/// `~a.*b` would be the expression `a.` and the word `*b`: wrong silently. What touches a bare expression is refused.
Status QueryParser::check_bare_regex(const Token& word) {
  const Token next = peek();
  const bool may_touch = next.kind == TokenKind::close_round || next.kind == TokenKind::close_curly ||
                         next.kind == TokenKind::comma || next.kind == TokenKind::bar;
  if (!is_adjacent(next) || may_touch) return {};
  const std::size_t end = std::min(query().find_first_of(" \t\r\n`", word.offset), query().size());
  const std::string quoted = "`" + std::string(query().substr(word.offset, end - word.offset)) + "`";
  return fail(next, "a regular expression that holds such a character needs quotes or backticks",
              with_part(word.offset, end - word.offset, quoted));
}

Result<std::shared_ptr<const Regex>> QueryParser::take_regex(const Token& op) {
  const std::string_view sign = query().substr(op.offset, op.size);
  const Token token = peek(LexMode::value);
  if (!token.is_text()) return unexpected(token, "a regular expression after \"" + std::string(sign) + "\"");
  RegexFault found;
  auto regex = Regex::compile(token.text, &found);
  if (regex.has_value()) {
    take(token);
    if (token.kind == TokenKind::word) DENDRO_TRY(check_bare_regex(token));
    return regex;
  }
  // A fault has a place of its own where the expression stands in the query byte by byte: no escapes.
  const std::size_t first = token.offset + (token.kind == TokenKind::string ? 1 : 0);
  const bool is_verbatim = query().substr(first, token.text.size()) == token.text;
  const bool has_place = is_verbatim && found.size > 0;
  const Place place = has_place ? Place{first + found.offset, found.size} : Place{token.offset, token.size};
  return fail(place, "bad regular expression: " + found.message);
}

Result<Token> QueryParser::take_literal_token(std::string_view after) {
  const Token token = peek(LexMode::value);
  if (!token.is_text()) return unexpected(token, "a value after \"" + std::string(after) + "\"");
  take(token);
  return token;
}

Literal QueryParser::literal_of(const Token& token) const {
  if (token.kind == TokenKind::string) return Literal::of_string(token.text);
  std::int32_t offset_s = options_.time.utc_offset_s;
  if (options_.time.zone != nullptr) {
    const auto instant = parse_partial_time(token.text, options_.time);
    if (instant) offset_s = options_.time.zone->offset_at(instant->first);
  }
  return Literal::of_word(token.text, offset_s);
}

Result<Predicate> QueryParser::make_test(const Scope* scope, Condition condition, Place place) {
  const std::string& field = scope != nullptr ? scope->field : options_.default_field;
  if (field == "severity" || field == "level") return make_severity_test(field, condition, place);
  return Predicate{FieldTest{field, std::move(condition)}};
}

}  // namespace dendro
