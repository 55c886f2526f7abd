// call of the grammar: the functions of filters, one method an argument list.
#include <charconv>

#include "filter/placeholder_regex.h"
#include "filter/predicate_text.h"
#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {

Result<Predicate> QueryParser::parse_call(const Scope* scope) {
  const Token name = peek(scope != nullptr ? LexMode::value : LexMode::plain);
  const std::string word = fold_keyword(name.text);
  const auto function = find_filter_function(word);
  if (!function) return unknown_function(scope, name);
  take(name);
  const Token opener = peek();
  take(opener);
  switch (*function) {
    case FilterFunction::equal_field:
      return parse_field_comparison(scope, FieldOrder::equal, name);
    case FilterFunction::less_field:
      return parse_field_comparison(scope, FieldOrder::less, name);
    case FilterFunction::less_equal_field:
      return parse_field_comparison(scope, FieldOrder::less_equal, name);
    default:
      break;
  }
  DENDRO_TRY_ASSIGN(Condition condition, parse_arguments(*function, opener));
  DENDRO_TRY(take_list_closer(opener));
  const auto* pattern = std::get_if<TextPattern>(&condition);
  const bool is_empty_text = pattern != nullptr && pattern->text.empty() && !pattern->open_start && !pattern->open_end;
  if (is_empty_text && scope != nullptr) condition = Empty{};  // f:i("") as f:""
  return make_test(scope, std::move(condition), {name.offset, at_ - name.offset});
}

Error QueryParser::unknown_function(const Scope* scope, const Token& name) {
  const std::string word = fold_keyword(name.text);
  std::string suggestion;
  if (find_stat_word(word) && scope == nullptr && pipe_index_ == 0) {
    std::string before(query().substr(0, name.offset));
    while (!before.empty() && before.back() == ' ') before.pop_back();
    suggestion = (before.empty() ? "*" : before) + " | stats " + std::string(query().substr(name.offset));
  } else if (const std::string_view near = nearest_name(word, all_filter_functions()); !near.empty()) {
    suggestion = with_part(name.offset, name.size, near);
  }
  return fail(name, "unknown filter function \"" + name.text + "\"", suggestion);
}

/// Up to the ")" that ends the list, which is left.
Result<Condition> QueryParser::parse_arguments(FilterFunction function, const Token& opener) {
  switch (function) {
    case FilterFunction::fold:
      return parse_fold();
    case FilterFunction::contains_all: {
      DENDRO_TRY_ASSIGN(auto patterns, parse_patterns());
      return Condition(ContainsAll{std::move(patterns)});
    }
    case FilterFunction::contains_any: {
      DENDRO_TRY_ASSIGN(auto patterns, parse_patterns());
      return Condition(ContainsAny{std::move(patterns)});
    }
    case FilterFunction::sequence: {
      DENDRO_TRY_ASSIGN(auto patterns, parse_patterns());
      return Condition(Sequence{std::move(patterns)});
    }
    case FilterFunction::length_range:
      return parse_length_range();
    case FilterFunction::ip:
      return parse_ip();
    case FilterFunction::string_range:
      return parse_string_range();
    case FilterFunction::type:
      return parse_type();
    case FilterFunction::pattern:
      return parse_placeholder_match();
    case FilterFunction::near:
      return parse_near();
    default:
      return parse_in(opener);
  }
}

Result<Condition> QueryParser::parse_in(const Token& opener) {
  if (is_subquery(opener)) return parse_in_query(opener);
  OneOf list;
  for (Token next = peek(LexMode::value); next.kind != TokenKind::close_round; next = peek(LexMode::value)) {
    if (next.kind == TokenKind::end)
      return fail(opener, "this \"(\" is never closed", std::string(query()) + ")", {")"});
    if (!list.literals.empty()) {
      if (next.kind != TokenKind::comma) return unexpected(next, "\",\" or \")\"");
      take(next);
    }
    DENDRO_TRY_ASSIGN(const Token literal, take_literal_token(","));
    list.literals.push_back(literal_of(literal));
  }
  return Condition(std::move(list));
}

Result<Condition> QueryParser::parse_fold() {
  DENDRO_TRY_ASSIGN(TextPattern pattern, take_pattern_argument());
  pattern.folds = true;
  return Condition(std::move(pattern));
}

Result<std::vector<TextPattern>> QueryParser::parse_patterns() {
  std::vector<TextPattern> patterns;
  for (;;) {
    DENDRO_TRY_ASSIGN(TextPattern pattern, take_pattern_argument());
    patterns.push_back(std::move(pattern));
    const Token next = peek();
    if (next.kind != TokenKind::comma) return patterns;
    take(next);
  }
}

Result<Condition> QueryParser::parse_length_range() {
  LengthRange range;
  DENDRO_TRY_ASSIGN(range.min, take_length());
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(range.max, take_length());
  return Condition(range);
}

Result<std::uint64_t> QueryParser::take_length() {
  const Token token = peek(LexMode::value);
  std::uint64_t length = 0;
  const char* end = token.text.data() + token.text.size();
  const auto read = std::from_chars(token.text.data(), end, length);
  const bool is_count = token.kind == TokenKind::word && read.ec == std::errc() && read.ptr == end;
  if (!is_count) return unexpected(token, "a number of characters");
  take(token);
  return length;
}

Result<Condition> QueryParser::parse_string_range() {
  StringRange range;
  DENDRO_TRY_ASSIGN(const Token first, take_literal_token("("));
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(const Token last, take_literal_token(","));
  range.first = first.text;
  range.last = last.text;
  return Condition(std::move(range));
}

Result<Condition> QueryParser::parse_type() {
  const Token token = peek(LexMode::value);
  const std::string folded = fold_keyword(token.text);
  for (const ValueKind kind : {ValueKind::number, ValueKind::string, ValueKind::boolean, ValueKind::list}) {
    if (!token.is_text() || folded != value_kind_name(kind)) continue;
    take(token);
    return Condition(TypeIs{kind});
  }
  return unexpected(token, "number, string, bool or list");
}

Result<Condition> QueryParser::parse_placeholder_match() {
  DENDRO_TRY_ASSIGN(const Token text, take_string("a pattern"));
  auto regex = compile_placeholders(text.text);
  if (!regex) return fail(text, regex.error().message());
  return Condition(PlaceholderMatch{text.text, std::move(*regex)});
}

Result<Condition> QueryParser::parse_near() {
  Near near;
  DENDRO_TRY_ASSIGN(near.first, take_pattern_argument());
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(near.second, take_pattern_argument());
  DENDRO_TRY(take_range_comma());
  const Token words = peek();
  const auto count = take_optional_count();
  if (!count) return unexpected(words, "how many words may stand between");
  near.words = *count;
  return Condition(std::move(near));
}

Result<Condition> QueryParser::parse_ip() {
  const Token token = peek(LexMode::value);
  if (!token.is_text()) return unexpected(token, "an address or a network");
  auto network = IpNetwork::parse(token.text);
  if (!network) {
    return fail(token, "\"" + token.text + "\" is no address and no network; 10.0.0.1, 10.0.0.0/8 and fe80::/10 are");
  }
  take(token);
  return Condition(InNetwork{std::move(*network)});
}

Result<Predicate> QueryParser::parse_field_comparison(const Scope* scope, FieldOrder order, const Token& name) {
  if (scope == nullptr) return fail(name, name.text + "() needs a field");
  const Token other = peek(LexMode::value);
  if (!other.is_text() || other.text.empty()) return unexpected(other, "the name of a field");
  take(other);
  note_use(other.text, other);
  const Token closer = peek();
  if (closer.kind != TokenKind::close_round) return unexpected(closer, "\")\"");
  take(closer);
  return Predicate{FieldComparison{scope->field, order, other.text}};
}

}  // namespace dendro
