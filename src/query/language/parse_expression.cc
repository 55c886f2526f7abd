// expr, term, factor of the grammar: what `eval` computes.
#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {
namespace {

Expression binary(Expression::Kind kind, Expression left, Expression right) {
  Expression expression;
  expression.kind = kind;
  expression.operands.push_back(std::move(left));
  expression.operands.push_back(std::move(right));
  return expression;
}

Expression leaf_expression(Expression::Kind kind, std::string text) {
  Expression expression;
  expression.kind = kind;
  expression.text = std::move(text);
  return expression;
}

bool is_number_start(const Token& token) {
  return token.kind == TokenKind::word && token.text[0] >= '0' && token.text[0] <= '9';
}

}  // namespace

Result<Expression> QueryParser::parse_expression() {
  DENDRO_TRY_ASSIGN(Expression left, parse_term());
  for (int links = 0;; ++links) {
    const Token op = peek(LexMode::expression);
    if (op.kind != TokenKind::plus && op.kind != TokenKind::minus) return left;
    DENDRO_TRY(check_chain(links, op));
    take(op);
    DENDRO_TRY_ASSIGN(Expression right, parse_term());
    left = binary(op.kind == TokenKind::plus ? Expression::Kind::add : Expression::Kind::subtract, std::move(left),
                  std::move(right));
  }
}

Result<Expression> QueryParser::parse_term() {
  DENDRO_TRY_ASSIGN(Expression left, parse_factor());
  for (int links = 0;; ++links) {
    const Token op = peek(LexMode::expression);
    Expression::Kind kind = Expression::Kind::multiply;
    if (op.kind == TokenKind::slash) kind = Expression::Kind::divide;
    if (op.kind == TokenKind::percent) kind = Expression::Kind::modulo;
    if (op.kind != TokenKind::star && kind == Expression::Kind::multiply) return left;
    DENDRO_TRY(check_chain(links, op));
    take(op);
    DENDRO_TRY_ASSIGN(Expression right, parse_factor());
    left = binary(kind, std::move(left), std::move(right));
  }
}

/// A chain is a tree as deep as it is long.
Status QueryParser::check_chain(int links, const Token& op) {
  if (depth_ + links < kMaxQueryDepth) return {};
  return fail(op, "nesting is deeper than " + std::to_string(kMaxQueryDepth));
}

Result<Expression> QueryParser::parse_factor() {
  const DepthGuard guard(depth_);
  const Token token = peek(LexMode::expression);
  DENDRO_TRY(check_depth(token));
  if (token.kind == TokenKind::minus) {
    take(token);
    const Token number = peek(LexMode::expression);
    if (is_number_start(number)) return parse_number_factor(number, "-");
    DENDRO_TRY_ASSIGN(Expression operand, parse_factor());
    Expression negated;
    negated.kind = Expression::Kind::negate;
    negated.operands.push_back(std::move(operand));
    return negated;
  }
  if (token.kind == TokenKind::open_round) {
    take(token);
    DENDRO_TRY_ASSIGN(Expression inner, parse_expression());
    DENDRO_TRY(take_list_closer(token));
    return inner;
  }
  if (token.kind == TokenKind::string) {
    take(token);
    if (!token.is_raw) return leaf_expression(Expression::Kind::text, token.text);
    if (token.text.empty()) return fail(token, "a field needs a name");
    note_use(token.text, token);
    return leaf_expression(Expression::Kind::field, token.text);
  }
  const bool is_operand = token.kind == TokenKind::word && !is_keyword(token, "as") && !is_keyword(token, "else");
  if (!is_operand) return unexpected(token, "a number, a field or a function");
  if (is_number_start(token)) return parse_number_factor(token, "");
  const bool is_call = token.end() < query().size() && query()[token.end()] == '(';
  const Token behind = lexer_.lex(token.end(), LexMode::plain);
  if (behind.kind == TokenKind::open_round && is_keyword(token, "if")) return parse_conditional();
  if (is_call) return parse_scalar_call();
  take(token);
  note_use(token.text, token);
  return leaf_expression(Expression::Kind::field, token.text);
}

Result<Expression> QueryParser::parse_number_factor(const Token& token, std::string_view sign) {
  const std::string text = std::string(sign) + token.text;
  if (!parse_number(text)) {
    return fail(token, "\"" + token.text + "\" is not a number; a field with such a name stands in backticks",
                with_part(token.offset, token.size, "`" + token.text + "`"));
  }
  take(token);
  return leaf_expression(Expression::Kind::number, text);
}

Result<Expression> QueryParser::parse_conditional() {
  take(peek(LexMode::expression));
  Expression expression;
  expression.kind = Expression::Kind::conditional;
  DENDRO_TRY_ASSIGN(expression.condition, parse_group(nullptr));
  DENDRO_TRY_ASSIGN(Expression then, parse_expression());
  expression.operands.push_back(std::move(then));
  const Token word = peek(LexMode::expression);
  if (!is_keyword(word, "else")) return unexpected(word, "\"else\"");
  take(word);
  DENDRO_TRY_ASSIGN(Expression otherwise, parse_expression());
  expression.operands.push_back(std::move(otherwise));
  return expression;
}

Result<Expression> QueryParser::parse_scalar_call() {
  const Token name = peek(LexMode::expression);
  const std::string folded = fold_keyword(name.text);
  const auto word = find_scalar_word(folded);
  if (!word) {
    const std::string_view near = nearest_name(folded, all_scalar_words());
    return fail(name, "unknown function \"" + name.text + "\"",
                near.empty() ? "" : with_part(name.offset, name.size, near));
  }
  take(name);
  const Token opener = peek();
  take(opener);
  Expression call = leaf_expression(Expression::Kind::call, folded);
  call.function = word->function;
  while (peek(LexMode::expression).kind != TokenKind::close_round) {
    if (!call.operands.empty()) {
      const Token comma = peek();
      if (comma.kind != TokenKind::comma) break;
      take(comma);
    }
    DENDRO_TRY_ASSIGN(Expression argument, parse_expression());
    call.operands.push_back(std::move(argument));
  }
  DENDRO_TRY(take_list_closer(opener));
  const std::size_t count = call.operands.size();
  if (count < word->arguments_min || count > word->arguments_max) {
    const std::string few = std::to_string(word->arguments_min);
    const std::string many = std::to_string(word->arguments_max);
    return fail(
        Place{name.offset, at_ - name.offset},
        folded + "() takes " + (few == many ? few : few + " to " + many) + " argument" + (many == "1" ? "" : "s"));
  }
  return call;
}

}  // namespace dendro
