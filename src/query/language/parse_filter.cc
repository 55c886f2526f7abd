// filter, conj, unary, primary, labels of the grammar.
#include <utility>

#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {

Result<Predicate> QueryParser::parse_filter(const Scope* scope) {
  std::vector<Predicate> parts;
  std::vector<FilterPart>* const wanted = std::exchange(parts_, nullptr);
  for (;;) {
    DENDRO_TRY_ASSIGN(Predicate part, parse_conjunction(scope, parts.empty() ? wanted : nullptr));
    parts.push_back(std::move(part));
    const std::size_t before = at_;
    if (!take_keyword("or")) break;
    if (wanted != nullptr) wanted->clear();
    if (const Token next = peek(); !starts_unary(next)) return missing_operand(next, before);
  }
  return any_of(std::move(parts));
}

Result<Predicate> QueryParser::parse_conjunction(const Scope* scope, std::vector<FilterPart>* wanted) {
  std::vector<Predicate> parts;
  for (;;) {
    const std::size_t begin = peek().offset;
    DENDRO_TRY_ASSIGN(Predicate part, parse_unary(scope));
    if (wanted != nullptr) wanted->push_back({part, {begin, at_ - begin}});
    parts.push_back(std::move(part));
    const std::size_t before = at_;
    const bool has_and = take_keyword("and");
    const Token next = peek();
    if (starts_unary(next)) continue;
    if (has_and) return missing_operand(next, before);
    break;
  }
  return all_of(std::move(parts));
}

Error QueryParser::missing_operand(const Token& found, std::size_t keep_until) {
  const bool is_end = found.kind == TokenKind::end;
  return unexpected(found, "a filter", is_end ? std::string(query().substr(0, keep_until)) : "");
}

bool QueryParser::starts_unary(const Token& token) const {
  switch (token.kind) {
    case TokenKind::end:
    case TokenKind::bar:
    case TokenKind::close_round:
    case TokenKind::close_square:
    case TokenKind::close_curly:
    case TokenKind::comma:
    case TokenKind::colon:
      return false;
    default:
      return !is_keyword(token, "or") && !is_keyword(token, "and");
  }
}

Result<Predicate> QueryParser::parse_unary(const Scope* scope) {
  const Token token = peek();
  const bool is_sign = token.kind == TokenKind::minus || token.kind == TokenKind::exclamation;
  if (!starts_unary(token)) return unexpected(token, "a filter");
  if (!is_sign && !is_keyword(token, "not")) return parse_primary(scope);
  const DepthGuard guard(depth_);
  DENDRO_TRY(check_depth(token));
  const std::size_t before = at_;
  take(token);
  const Token operand = peek();
  if (is_sign && !is_adjacent(operand)) {
    const std::string sign(query().substr(token.offset, 1));
    const std::string rest(query().substr(operand.offset));
    return fail(token, "a lone \"" + sign + "\"", std::string(query().substr(0, token.end())) + rest);
  }
  if (!starts_unary(operand)) return missing_operand(operand, before);
  DENDRO_TRY_ASSIGN(Predicate predicate, parse_unary(scope));
  return negation(std::move(predicate));
}

Result<Predicate> QueryParser::parse_primary(const Scope* scope) {
  const Token token = peek();
  if (token.kind == TokenKind::open_round) return parse_group(scope);
  if (token.kind == TokenKind::open_curly && scope == nullptr) return parse_labels();
  if (token.kind == TokenKind::saved && scope == nullptr) return parse_saved_filter();
  if (!token.is_text()) return parse_test(scope);
  const Token after = lexer_.lex(token.end(), LexMode::plain);
  if (after.kind != TokenKind::colon) return parse_test(scope);
  if (scope != nullptr) return fail(token, "no field can be named inside \"" + scope->field + ":( )\"");
  if (token.text.empty()) return fail(token, "a field needs a name");
  const bool starts_with_digit = token.kind == TokenKind::word && token.text[0] >= '0' && token.text[0] <= '9';
  if (starts_with_digit) return digit_name_fault(token);
  take(token);
  take(after);
  return parse_scoped(token);
}

Error QueryParser::digit_name_fault(const Token& name) {
  const Token whole = lexer_.lex(name.offset, LexMode::value);
  return fail(name, "a field name that starts with a digit needs quotes",
              with_part(whole.offset, whole.size, "\"" + whole.text + "\""));
}

Result<Predicate> QueryParser::parse_group(const Scope* scope) {
  const Token opener = peek();
  const DepthGuard guard(depth_);
  DENDRO_TRY(check_depth(opener));
  take(opener);
  DENDRO_TRY_ASSIGN(Predicate inner, parse_filter(scope));
  const Token closer = peek();
  if (closer.kind == TokenKind::end)
    return fail(opener, "this \"(\" is never closed", std::string(query()) + ")", {")"});
  if (closer.kind == TokenKind::comma && scope != nullptr) {
    return fail(closer, "expected \")\"; a range that leaves its start out is written range(a,b]",
                with_part(opener.offset, 0, "range"), {")"});
  }
  if (closer.kind != TokenKind::close_round) return unexpected(closer, "\")\"");
  take(closer);
  return inner;
}

Result<Predicate> QueryParser::parse_labels() {
  const Token opener = peek();
  take(opener);
  std::vector<Predicate> alternatives;
  std::vector<Predicate> together;
  for (;;) {
    DENDRO_TRY_ASSIGN(Predicate label, parse_label());
    together.push_back(std::move(label));
    const Token next = peek();
    if (next.kind == TokenKind::end)
      return fail(opener, "this \"{\" is never closed", std::string(query()) + "}", {"}"});
    const bool is_or = is_keyword(next, "or");
    if (next.kind != TokenKind::comma && next.kind != TokenKind::close_curly && !is_or)
      return unexpected(next, "\",\" or \"}\"");
    take(next);
    if (next.kind == TokenKind::comma) continue;
    alternatives.push_back(all_of(std::move(together)));
    together.clear();
    if (next.kind == TokenKind::close_curly) break;
  }
  return any_of(std::move(alternatives));
}

Result<Predicate> QueryParser::parse_label() {
  const Token name = peek();
  if (!name.is_text()) return unexpected(name, "the name of a label");
  take(name);
  const Token op = peek();
  if (op.kind == TokenKind::not_match) {
    take(op);
    DENDRO_TRY_ASSIGN(auto regex, take_regex(op));
    return negation(Predicate{LabelMatch{name.text, std::move(regex)}});
  }
  if (op.kind != TokenKind::equal && op.kind != TokenKind::not_equal) {
    return unexpected(op, "\"=\", \"!=\", \"=~\" or \"!~\"");
  }
  take(op);
  if (const Token match = peek(); op.kind == TokenKind::equal && match.kind == TokenKind::match && is_adjacent(match)) {
    take(match);
    DENDRO_TRY_ASSIGN(auto regex, take_regex(match));
    return Predicate{LabelMatch{name.text, std::move(regex)}};
  }
  const Token text = peek(LexMode::value);
  if (!text.is_text()) return unexpected(text, "a text");
  take(text);
  Predicate test{LabelTest{name.text, text.text}};
  return op.kind == TokenKind::equal ? Result<Predicate>(std::move(test))
                                     : Result<Predicate>(negation(std::move(test)));
}

Result<Predicate> QueryParser::parse_scoped(const Token& name) {
  const std::string field = name.text;
  const Token next = peek(LexMode::value);
  if (field == "_stream" && next.kind == TokenKind::open_curly) return parse_labels();
  if (field == "_tenant") return not_built(name, "a filter on " + field);
  note_use(field, name);
  const Scope scope{field};
  if (next.kind == TokenKind::end) return unexpected(next, "what \"" + field + "\" is to be");
  if (next.kind == TokenKind::open_round) return parse_group(&scope);
  if (field == "_time" || field == "_observed") return parse_when(field);
  return parse_test(&scope);
}

}  // namespace dendro
