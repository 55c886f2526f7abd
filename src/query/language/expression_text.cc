// The canonical form of expressions.
#include <algorithm>

#include "filter/predicate_text.h"
#include "filter/text_pattern.h"
#include "query/language/pipe_ast.h"

namespace dendro {
namespace {

/// True if an identifier of an expression reads as this field.
bool is_identifier(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name[0] == '.') return false;
  for (const char c : name) {
    if (!is_word_char(c) && c != '.' && c != '@' && static_cast<unsigned char>(c) < 0x80) return false;
  }
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower != "if" && lower != "as" && lower != "else";
}

std::string_view operator_sign(Expression::Kind kind) {
  switch (kind) {
    case Expression::Kind::add:
      return " + ";
    case Expression::Kind::subtract:
      return " - ";
    case Expression::Kind::multiply:
      return " * ";
    case Expression::Kind::divide:
      return " / ";
    default:
      return " % ";
  }
}

/// How tight a node binds: + and - are 1, * / % are 2, what needs no parentheses is 3.
int binding_of(Expression::Kind kind) {
  switch (kind) {
    case Expression::Kind::conditional:
      return 0;  // its else takes all that follows
    case Expression::Kind::add:
    case Expression::Kind::subtract:
      return 1;
    case Expression::Kind::multiply:
    case Expression::Kind::divide:
    case Expression::Kind::modulo:
      return 2;
    default:
      return 3;
  }
}

bool is_operation(Expression::Kind kind) {
  return binding_of(kind) == 1 || binding_of(kind) == 2;
}

/// True if the operand stands in parentheses. Chains are read from the left.
bool needs_brackets(const Expression& parent, std::size_t operand) {
  const Expression::Kind kind = parent.operands[operand].kind;
  if (parent.kind == Expression::Kind::negate) return kind == Expression::Kind::number || binding_of(kind) < 3;
  if (!is_operation(parent.kind)) return false;
  const int own = binding_of(parent.kind);
  return operand == 0 ? binding_of(kind) < own : binding_of(kind) <= own;
}

std::string operand_text(const Expression& parent, std::size_t operand) {
  const std::string text = to_text(parent.operands[operand]);
  return needs_brackets(parent, operand) ? "(" + text + ")" : text;
}

}  // namespace

int printed_depth(const Expression& expression) {
  int deepest = 0;
  for (std::size_t i = 0; i < expression.operands.size(); ++i) {
    deepest = std::max(deepest, printed_depth(expression.operands[i]) + (needs_brackets(expression, i) ? 1 : 0));
  }
  return is_operation(expression.kind) ? deepest : deepest + 1;
}

std::string to_text(const Expression& expression) {
  using Kind = Expression::Kind;
  std::string out;
  switch (expression.kind) {
    case Kind::number:
      return expression.text;
    case Kind::text:
      append_query_string(out, expression.text);
      return out;
    case Kind::field:
      return is_identifier(expression.text) ? expression.text : "`" + expression.text + "`";
    case Kind::negate:
      return "-" + operand_text(expression, 0);  // a number in parentheses: "-5" is one
    case Kind::call:
      for (std::size_t i = 0; i < expression.operands.size(); ++i)
        out += (i == 0 ? "" : ", ") + operand_text(expression, i);
      return expression.text + "(" + out + ")";
    case Kind::conditional:
      return "if (" + to_text(*expression.condition) + ") " + operand_text(expression, 0) + " else " +
             operand_text(expression, 1);
    default:
      return operand_text(expression, 0) + std::string(operator_sign(expression.kind)) + operand_text(expression, 1);
  }
}

}  // namespace dendro
